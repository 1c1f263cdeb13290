/** What says whether certificates are ordered, from whom, and how names are shown to be ours. */
import path from 'node:path';
import { type Address, parseAddress } from './addresses.ts';
import { ConfigError } from './config-error.ts';
import { flagOf } from './options.ts';
import type { SettingsReader } from './settings-reader.ts';

export interface AcmeSettings {
  readonly email: string;
  /** To the terms of the authorities; nothing is asked of them before. */
  readonly agreed: boolean;
  readonly authorities: readonly AuthoritySettings[];
  /** Of each a certificate for the same names. */
  readonly keyTypes: readonly ('ecdsa' | 'rsa')[];
  /** host:port of a resolver; '' = the system's. */
  readonly resolver: string;
  /** How records are set; null = not at all. */
  readonly dns: DnsSettings | null;
}

export type DnsSettings =
  | { readonly kind: 'listen'; readonly addresses: readonly Address[] }
  | { readonly kind: 'hook'; readonly program: string };

export interface AuthoritySettings {
  readonly directory: string;
  /** File; '' = none. */
  readonly root: string;
  readonly external: { readonly keyId: string; readonly hmac: string } | null;
  readonly profile: string;
  readonly preferredChain: string;
}

const KEY_TYPES = { ecdsa: ['ecdsa'], rsa: ['rsa'], both: ['ecdsa', 'rsa'] } as const;

/** @returns null when nothing is to be ordered. @throws ConfigError */
export function acmeSettings(read: SettingsReader, cwd: string): AcmeSettings | null {
  const email = read.text('acme_email');
  if (email === '') return null;
  if (!/^[^\s@]{1,64}@[^\s@]{1,190}$/.test(email)) {
    throw new ConfigError(flagOf('acme_email'), email, 'expected an address, as me@example.com');
  }
  const rootFile = read.text('acme_ca_root');
  const root = rootFile === '' ? '' : path.resolve(cwd, rootFile);
  const external = read.list('acme_eab').map(binding);
  const [profile, preferredChain] = [read.text('acme_profile'), read.text('acme_preferred_chain')];
  const authorities = read.list('acme_directory').map((url, index) => ({
    directory: directoryUrl(url),
    root,
    external: external[index] ?? null,
    // Names of one authority mean nothing to another.
    profile: index === 0 ? profile : '',
    preferredChain: index === 0 ? preferredChain : '',
  }));
  if (authorities.length === 0) throw new ConfigError(flagOf('acme_directory'), '', 'a directory is needed');
  return {
    email,
    agreed: read.switch('acme_agree_terms'),
    authorities,
    keyTypes: KEY_TYPES[read.choice('acme_key_type', ['ecdsa', 'rsa', 'both'])],
    resolver: resolver(read),
    dns: dnsSettings(read, cwd),
  };
}

function directoryUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'https:') {
    throw new ConfigError(flagOf('acme_directory'), text, 'expected the https URL of a directory (RFC 8555)');
  }
  return url.href;
}

/** The text may be a secret: no message shows it. */
function binding(text: string): { keyId: string; hmac: string } | null {
  if (text === '-') return null;
  const colon = text.indexOf(':');
  const [keyId, hmac] = [text.slice(0, colon), text.slice(colon + 1)];
  if (colon < 1 || !/^[A-Za-z0-9_-]{16,}$/.test(hmac)) {
    throw new ConfigError(flagOf('acme_eab'), '', 'expected the id of a key and the key (base64url), as id:key');
  }
  return { keyId, hmac };
}

function resolver(read: SettingsReader): string {
  const text = read.text('acme_resolver');
  if (text !== '' && !/^(\[[0-9A-Fa-f:.]+\]|[0-9.]+)(:[0-9]{1,5})?$/.test(text)) {
    throw new ConfigError(flagOf('acme_resolver'), text, 'expected the address of a DNS server, as 192.0.2.53:53');
  }
  return text;
}

function dnsSettings(read: SettingsReader, cwd: string): DnsSettings | null {
  const addresses = read.list('dns_listen').map((text) => parseAddress(flagOf('dns_listen'), text));
  const program = read.text('dns_hook');
  if (addresses.length > 0 && program !== '') {
    throw new ConfigError(
      flagOf('dns_hook'),
      program,
      `not beside ${flagOf('dns_listen')}: records are set in one way`,
    );
  }
  if (addresses.length > 0) return { kind: 'listen', addresses };
  return program === '' ? null : { kind: 'hook', program: path.resolve(cwd, program) };
}
