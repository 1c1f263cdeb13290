import type { Challenge, TlsIdentity } from '@postern/link';
import type { IdSource, ManagedCertificateRow, Store, Tables } from '@postern/store';
import type { KeyType } from './client/csr.ts';
import type { Life } from './life/renewal.ts';

export interface AuthorityConfig {
  /** URL of the directory. */
  readonly directory: string;
  /** PEM of an authority that the directory's own certificate may come from; '' = the public ones alone. */
  readonly root: string;
  /** An account that exists elsewhere (RFC 8555 §7.3.4). */
  readonly external: { readonly keyId: string; readonly hmac: string } | null;
  /** Of certificates, as the authority calls it; '' = its default. */
  readonly profile: string;
  /** Common name that the top of the chain is to have; '' = the authority's choice. */
  readonly preferredChain: string;
}

export interface AcmeConfig {
  readonly email: string;
  /** In the order in which they are tried. */
  readonly authorities: readonly [AuthorityConfig, ...AuthorityConfig[]];
  /** Where visitors come: what authorities are told to come to is 80 and 443, whatever these are. */
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly baseDomains: readonly string[];
  readonly userAgent: string;
}

/** Names that are to be kept certified together. */
export interface Subject {
  readonly accountId: string;
  /** Id of the reserved domain; '' = of a base domain. */
  readonly domainId: string;
  readonly names: readonly string[];
  readonly keyType: KeyType;
}

/** Sets a TXT record of `_acme-challenge` for a name, and takes it away again. */
export interface DnsWay {
  /** In words, for messages. */
  readonly title: string;
  /** Records are seen at once, where somebody has led the name here. */
  readonly delegated: boolean;
  /** Resolves when it can be seen. @param name with `_acme-challenge.` in front */
  present(name: string, value: string): Promise<void>;
  cleanup(name: string, value: string): Promise<void>;
}

/** What others see in DNS; both reject when there is nothing. */
export interface RecordLookup {
  cname(name: string): Promise<readonly string[]>;
  txt(name: string): Promise<readonly string[]>;
}

export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What answers show of a certificate. */
export type CertificateFields = Omit<
  Tables['tlsCertificates'],
  'id' | 'accountId' | 'createdAt' | 'description' | 'metadata' | 'certificatePem' | 'privateKeyPem' | 'issuedAt'
>;

export interface AcmeParts {
  readonly config: AcmeConfig;
  readonly store: Store;
  readonly ids: IdSource;
  /** Of this process, for leases: another one after each start. */
  readonly node: string;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** [0, 1) */
  readonly random: () => number;
  readonly log: Log;
  /** What authorities are answered from now on; resolves when every edge does. */
  readonly present: (challenges: readonly Challenge[]) => Promise<void>;
  /** These names are served by another certificate from now on, or by none any more; resolves when every edge knows. */
  readonly changed: (managed: ManagedCertificateRow, identity: TlsIdentity | null) => Promise<void>;
  /** Of what is served for the names now; null = nothing is. */
  readonly lifeOf: (managed: ManagedCertificateRow) => Life | null;
  readonly describe: (chain: string, key: string) => CertificateFields;
  /** Whether browsers trust a chain (PEM) by themselves. */
  readonly trusted: (chain: string) => boolean;
  /** Everything that is to be kept. */
  readonly wanted: () => Promise<readonly Subject[]>;
  /** The same of one reserved domain; [] = nothing, or it is gone. */
  readonly wantedFor: (domainId: string) => Promise<readonly Subject[]>;
  /** null = no record of DNS can be set. */
  readonly dns: DnsWay | null;
  /** The name here that `_acme-challenge` of a tenant's wildcard is led to by a CNAME record. */
  readonly challengeRecord: (wildcard: string) => string;
  readonly records: RecordLookup;
  /** Addresses of a name; rejects when it has none. */
  readonly resolve: (name: string) => Promise<readonly string[]>;
}
