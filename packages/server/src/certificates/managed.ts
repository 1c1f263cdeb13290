import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Resolver, lookup } from 'node:dns/promises';
import type { AcmeParts, CertificateManager, Subject } from '@postern/acme';
import { certificateFields, type Control } from '@postern/control';
import type { IdSource, Store } from '@postern/store';
import { ConfigError } from '../config/config-error.ts';
import type { AcmeSettings } from '../config/acme-settings.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { Logger } from '../log.ts';
import { messageOf } from '../problem.ts';
import type { StoredCertificates } from './stored-certificates.ts';

export interface ManagedParts {
  readonly config: ServerConfig;
  readonly settings: AcmeSettings;
  readonly version: string;
  readonly publicPorts: { readonly http: number; readonly https: number };
  readonly store: Store;
  readonly stored: StoredCertificates;
  readonly ids: IdSource;
  readonly control: Control;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Logger;
}

/** Whoever keeps this server's names certified, wired to the rest of it and at work; null where nothing is to be ordered. */
export async function startManager(parts: Omit<ManagedParts, 'settings'>): Promise<CertificateManager | null> {
  const { acme } = parts.config;
  if (acme === null) return null;
  if (!acme.agreed) {
    const directories = acme.authorities.map(({ directory }) => directory);
    parts.log.warn(
      { directories },
      'no certificates are ordered: accept the terms of the authority with --acme-agree-terms',
    );
    return null;
  }
  const { CertificateManager: Manager } = await import('@postern/acme');
  const manager = new Manager(wired({ ...parts, settings: acme }));
  await manager.start();
  return manager;
}

function wired(parts: ManagedParts): AcmeParts {
  const { config, settings, store, stored, ids, control, now, random, log } = parts;
  const [first, ...others] = settings.authorities.map((one) => ({ ...one, root: readRoot(one.root) }));
  if (first === undefined) throw new TypeError('there is no certificate authority');
  return {
    config: {
      email: settings.email,
      authorities: [first, ...others],
      keyType: settings.keyType,
      httpPort: parts.publicPorts.http,
      httpsPort: parts.publicPorts.https,
      baseDomains: config.baseDomains,
      userAgent: `postern/${parts.version}`,
    },
    store,
    ids,
    node: 'local',
    now,
    random,
    log,
    present: (challenges) => control.challenge(challenges),
    async changed({ id, domainId, names }, identity) {
      if (stored.place(domainId || id, names, identity)) await control.certificatesChanged();
    },
    describe: (chain, key) => certificateFields(new X509Certificate(chain), key),
    wanted: async () => [...(await ownSubjects(parts)), ...control.managedDomains().map(typed(settings))],
    async wantedFor(domainId) {
      const domain = control.managedDomain(domainId);
      return domain === null ? null : typed(settings)(domain);
    },
    dns: null,
    resolve: resolverOf(settings.resolver),
  };
}

/** @throws ConfigError */
function readRoot(file: string): string {
  try {
    return file === '' ? '' : readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError('--acme-ca-root', file, `the file cannot be read (${messageOf(error)})`);
  }
}

/** Each base domain, and the name that agents dial. */
async function ownSubjects({ config, settings, store }: ManagedParts): Promise<readonly Subject[]> {
  const [account] = await store.accounts();
  const accountId = account?.id ?? '';
  return config.baseDomains
    .flatMap((base) => [base, `connect.${base}`])
    .map((name) => ({ accountId, domainId: '', names: [name], keyType: settings.keyType }));
}

function typed({ keyType }: AcmeSettings) {
  return (domain: Omit<Subject, 'keyType'> & { readonly keyType: Subject['keyType'] | '' }): Subject => ({
    ...domain,
    keyType: domain.keyType || keyType,
  });
}

function resolverOf(server: string): (name: string) => Promise<readonly string[]> {
  if (server === '') return async (name) => (await lookup(name, { all: true })).map(({ address }) => address);
  const resolver = new Resolver({ timeout: 3_000, tries: 2 });
  resolver.setServers([server]);
  return async (name) => {
    const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    return found.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  };
}
