import type { ControlApi } from '@postern/control';
import type { Operation } from '../resource/operation.ts';
import { apiKeys } from './api-keys.ts';
import { credentials } from './credentials.ts';
import { httpsEdges, tcpEdges, tlsEdges } from './edges.ts';
import { endpoints } from './endpoints.ts';
import { reservedAddrs } from './reserved-addrs.ts';
import { reservedDomains } from './reserved-domains.ts';
import { root } from './root.ts';
import { tunnelGroupBackends } from './tunnel-group-backends.ts';
import { tunnelSessions } from './tunnel-sessions.ts';
import { tunnels } from './tunnels.ts';
import { botUsers, serviceUsers } from './users.ts';

/** Everything that this API serves. A new resource is a file beside this one and a line here. */
const RESOURCES: readonly ((control: ControlApi) => Operation[])[] = [
  endpoints,
  reservedDomains,
  reservedAddrs,
  tunnels,
  tunnelSessions,
  botUsers,
  serviceUsers,
  credentials,
  apiKeys,
  httpsEdges,
  tlsEdges,
  tcpEdges,
  tunnelGroupBackends,
];

export function operationsOf(control: ControlApi, version: string): Operation[] {
  const operations = RESOURCES.flatMap((resource) => resource(control));
  const collections = operations.filter(({ method, query }) => method === 'GET' && query.paged);
  return [
    root(
      version,
      collections.map(({ path }) => path),
    ),
    ...operations,
  ];
}
