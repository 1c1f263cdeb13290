import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AcmeParts, CertificateManager, DnsWay, Staples, Subject } from '@postern/acme';
import { certificateFields, challengeTarget, type Control, type ManagedDomain } from '@postern/control';
import type { IdSource, Store } from '@postern/store';
import { ConfigError } from '../config/config-error.ts';
import type { AcmeSettings } from '../config/acme-settings.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { Logger } from '../log.ts';
import { messageOf } from '../problem.ts';
import { isPublic } from './authority.ts';
import { lookups, openDns } from './dns-ways.ts';
import type { StoredCertificates } from './stored-certificates.ts';

export interface ManagedParts {
  readonly config: ServerConfig;
  readonly settings: AcmeSettings;
  readonly dns: DnsWay | null;
  readonly staples: Staples;
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

export interface RunningManager {
  readonly manager: CertificateManager;
  stop(): void;
}

/** Whoever keeps this server's names certified, wired to the rest of it and at work; null where nothing is to be ordered. */
export async function startManager(
  parts: Omit<ManagedParts, 'settings' | 'dns' | 'staples'>,
): Promise<RunningManager | null> {
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
  const { CertificateManager: Manager, Staples } = await import('@postern/acme');
  const dns = await openDns(acme, parts.config.baseDomains, parts.now);
  const staples = new Staples({
    now: parts.now,
    log: parts.log,
    carried(id, names, response) {
      parts.stored.carry(id, response);
      return parts.control.certificatesChanged(names);
    },
  });
  const manager = new Manager(wired({ ...parts, settings: acme, dns: dns.way, staples }));
  await manager.start();
  for (const { id, names, chain } of parts.stored.ordered()) staples.follow(id, names, chain);
  return {
    manager,
    stop() {
      manager.stop();
      dns.stop();
      staples.stop();
    },
  };
}

function wired(parts: ManagedParts): AcmeParts {
  const { config, settings, store, stored, ids, control, now, random, log, staples } = parts;
  const [first, ...others] = settings.authorities.map((one) => ({ ...one, root: readRoot(one.root) }));
  if (first === undefined) throw new TypeError('there is no certificate authority');
  return {
    config: {
      email: settings.email,
      authorities: [first, ...others],
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
    async changed(managed, identity) {
      stored.carry(managed.id, null);
      const other = stored.placeManaged(managed, identity);
      if (other.length > 0) await control.certificatesChanged(other);
      staples.follow(managed.id, managed.names, identity?.cert ?? null);
    },
    trusted: isPublic,
    lifeOf: (managed) => stored.lifeOf(managed),
    describe: (chain, key) => certificateFields(new X509Certificate(chain), key),
    wanted: async () => [...(await ownSubjects(parts)), ...control.managedDomains().flatMap(typed(settings))],
    async wantedFor(domainId) {
      const domain = control.managedDomain(domainId);
      return domain === null ? [] : typed(settings)(domain);
    },
    dns: parts.dns,
    challengeRecord: (wildcard) => challengeTarget(wildcard, config.baseDomains[0] ?? 'localhost'),
    ...lookups(settings.resolver),
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

/** Each base domain with its wildcard; where that cannot be had, the name that agents dial. */
async function ownSubjects({ config, settings, store, dns }: ManagedParts): Promise<readonly Subject[]> {
  const [account] = await store.accounts();
  const accountId = account?.id ?? '';
  const sets = config.baseDomains.flatMap((base) =>
    dns === null ? [[base], [`connect.${base}`]] : [[base, `*.${base}`]],
  );
  return sets.flatMap((names) =>
    settings.keyTypes.map((keyType): Subject => ({ accountId, domainId: '', names, keyType })),
  );
}

/** Who asks for RSA gets that alone; who asks for ECDSA, or nothing, what the server orders beside it, too. */
function typed({ keyTypes }: AcmeSettings) {
  return ({ keyType: asked, ...domain }: ManagedDomain): Subject[] => {
    const kinds = asked === '' || (asked === 'ecdsa' && keyTypes.includes('ecdsa')) ? keyTypes : [asked];
    return kinds.map((keyType) => ({ ...domain, keyType }));
  };
}
