import type { Resource } from './model/resource.ts';
import type { PlainResource, RowOf } from './model/row.ts';
import { apiKeys } from './api-keys.ts';
import { tunnelGroupBackends } from './backends.ts';
import { applicationSessions } from './application-sessions.ts';
import { applicationUsers } from './application-users.ts';
import { certificateAuthorities } from './certificate-authorities.ts';
import { credentials } from './credentials.ts';
import { edgeRoutes, httpsEdges, tcpEdges, tlsEdges } from './edges.ts';
import { endpoints } from './endpoints.ts';
import { ipPolicies } from './ip-policies.ts';
import { ipPolicyRules } from './ip-policy-rules.ts';
import { managedCertificates } from './managed-certificates.ts';
import { reservedAddrs } from './reserved-addrs.ts';
import { reservedDomains } from './reserved-domains.ts';
import { vaultSecrets } from './vault-secrets.ts';
import { tlsCertificates } from './tls-certificates.ts';
import { tunnelSessions } from './tunnel-sessions.ts';
import { tunnels } from './tunnels.ts';
import { botUsers, serviceUsers } from './users.ts';
import { vaults } from './vaults.ts';

/** Those that are rows of their own: table, repository, service and calls of each follow from its line here. */
export const PLAIN = {
  reservedDomains,
  reservedAddrs,
  botUsers,
  credentials,
  apiKeys,
  tunnelGroupBackends,
  vaults,
  vaultSecrets,
  ipPolicies,
  ipPolicyRules,
  certificateAuthorities,
  tlsCertificates,
  applicationUsers,
  applicationSessions,
} as const;

export type PlainName = keyof typeof PLAIN;
export type PlainRows = { readonly [N in PlainName]: RowOf<(typeof PLAIN)[N]> };

/** Something for each of them. */
export function eachPlain<T>(make: (definition: PlainResource, name: PlainName) => T): Readonly<Record<PlainName, T>> {
  // The names that entries have are those of the object.
  // oxlint-disable-next-line no-unsafe-type-assertion
  const entries = Object.entries(PLAIN) as [PlainName, PlainResource][];
  // oxlint-disable-next-line no-unsafe-type-assertion -- as above
  return Object.fromEntries(entries.map(([name, definition]) => [name, make(definition, name)])) as Record<
    PlainName,
    T
  >;
}

const NAMES_BY_PATH: ReadonlyMap<string, PlainName> = new Map(
  Object.values(eachPlain(({ path }, name) => [path, name] as const)),
);

/** Which of them is at the path; null = none. */
export function plainAt(path: string): PlainName | null {
  return NAMES_BY_PATH.get(path) ?? null;
}

/** Every resource of the API, in the order of documents. */
export const RESOURCES: readonly Resource[] = [
  endpoints,
  tunnels,
  tunnelSessions,
  ...Object.values(PLAIN),
  managedCertificates,
  serviceUsers,
  httpsEdges,
  edgeRoutes,
  tlsEdges,
  tcpEdges,
];
