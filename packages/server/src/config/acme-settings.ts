/** What says whether certificates are ordered, from whom, and how names are shown to be ours. */
import path from 'node:path';
import { type Address, parseAddress, parsePort } from './addresses.ts';
import { ConfigError } from './config-error.ts';
import { flagOf, type SettingKey } from './options.ts';
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
  | { readonly kind: 'hook'; readonly program: string }
  | {
      readonly kind: 'update';
      readonly server: Address;
      readonly key: { readonly name: string; readonly algorithm: (typeof ALGORITHMS)[number]; readonly file: string };
      /** '' = as the server says. */
      readonly zone: string;
    };

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
  const [program, server] = [read.text('dns_hook'), read.text('dns_update_server')];
  const ways = [addresses.length > 0 ? 'dns_listen' : null, server === '' ? null : 'dns_update_server'] as const;
  const other = ways.find((key) => key !== null) ?? null;
  if (program !== '' && other !== null) throw twice('dns_hook', program, other);
  if (server !== '' && addresses.length > 0) throw twice('dns_update_server', server, 'dns_listen');
  if (addresses.length > 0) return { kind: 'listen', addresses };
  if (server !== '') return updateSettings(read, server, cwd);
  for (const key of ['dns_update_key', 'dns_update_zone'] as const) {
    if (read.text(key) !== '')
      throw new ConfigError(flagOf(key), '', `it says nothing without ${flagOf('dns_update_server')}`);
  }
  return program === '' ? null : { kind: 'hook', program: path.resolve(cwd, program) };
}

function twice(key: SettingKey, value: string, other: SettingKey): ConfigError {
  return new ConfigError(flagOf(key), value, `not beside ${flagOf(other)}: records are set in one way`);
}

const ALGORITHMS = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'] as const;
const UPDATE_KEY = /^([A-Za-z0-9._-]{1,255}):([a-z0-9-]{1,20}):(.+)$/;

function updateSettings(read: SettingsReader, server: string, cwd: string): DnsSettings {
  const [, name = '', kind = '', file = ''] = UPDATE_KEY.exec(read.text('dns_update_key')) ?? [];
  const algorithm = ALGORITHMS.find((one) => one === kind);
  if (name === '' || algorithm === undefined) {
    const words =
      'expected the name of a key, its algorithm and the file of its secret, as acme:hmac-sha256:secret.txt';
    throw new ConfigError(flagOf('dns_update_key'), read.text('dns_update_key'), words);
  }
  const zone = read.text('dns_update_zone').toLowerCase().replace(/\.$/, '');
  if (zone !== '' && !/^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){0,20}$/.test(zone))
    throw new ConfigError(flagOf('dns_update_zone'), zone, 'expected the name of a zone, as example.com');
  return {
    kind: 'update',
    server: nameServer(server),
    key: { name: name.toLowerCase().replace(/\.$/, ''), algorithm, file: path.resolve(cwd, file) },
    zone,
  };
}

const NAME_SERVER = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9.-]{1,253}))(?::([0-9]{1,5}))?$/;

/** By address or name; 53 unless a port is there. */
function nameServer(text: string): Address {
  const [, bracketed, plain = bracketed, port = '53'] = NAME_SERVER.exec(text) ?? [];
  const flag = flagOf('dns_update_server');
  if (plain === undefined)
    throw new ConfigError(flag, text, 'expected the address or name of a DNS server, as 192.0.2.53:53');
  return { host: plain, port: parsePort(flag, text, port) };
}
