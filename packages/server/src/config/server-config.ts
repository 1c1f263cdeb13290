import { existsSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import path from 'node:path';
import envPaths from 'env-paths';
import { type Address, type PortRange, parseAddress, parsePort, parseRange } from './addresses.ts';
import { ConfigError } from './config-error.ts';
import { type RawSettings, SERVER_OPTIONS, type SettingKey, flagOf } from './options.ts';

/** Everything the server needs to know, understood and checked. Ports of 0 are settled when listeners are bound. */
export interface ServerConfig {
  readonly api: readonly Address[];
  readonly http: readonly Address[];
  readonly https: readonly Address[];
  readonly agents: readonly Address[];
  readonly metrics: readonly Address[];
  readonly tcpHosts: readonly string[];
  readonly tcpRange: PortRange;
  readonly baseDomains: readonly string[];
  readonly tcpHost: string;
  readonly agentNames: readonly string[];
  readonly publicHttpPort: number | null;
  readonly publicHttpsPort: number | null;
  readonly publicApiUrl: string;
  readonly autoReserve: 'any' | 'base' | 'off';
  readonly trustedProxies: readonly string[];
  readonly proxyProtocol: boolean;
  readonly tlsCertificates: readonly { readonly cert: string; readonly key: string }[];
  readonly dataDir: string;
  readonly apiRateLimit: number;
  readonly corsOrigins: readonly string[];
  readonly drainMs: number;
  readonly requestHeadMs: number;
  readonly idleMs: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerIp: number;
  readonly logFormat: 'pretty' | 'json';
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

/** What defaults depend on. */
export interface Surroundings {
  readonly cwd: string;
  /** Root of the clone that the program runs from, or null when it is installed. */
  readonly cloneRoot: string | null;
  readonly isTerminal: boolean;
}

/** Later sources yield to earlier ones: pass flags, environment, file. @throws ConfigError */
export function resolveConfig(sources: readonly RawSettings[], surroundings: Surroundings): ServerConfig {
  const read = new SettingsReader(sources);
  const baseDomains = read.list('base_domain').map((name) => domainName('base_domain', name));
  const tcp = read.list('tcp_listen').map((text) => parseRange(flagOf('tcp_listen'), text));
  const range = tcp[0]?.range ?? { from: 0, to: 0 };
  if (tcp.some((entry) => entry.range.from !== range.from || entry.range.to !== range.to)) {
    throw new ConfigError(
      flagOf('tcp_listen'),
      read.list('tcp_listen').join(' '),
      'every address needs the same ports',
    );
  }
  const database = read.text('database');
  if (database !== '') {
    throw new ConfigError(
      flagOf('database'),
      maskPassword(database),
      'only SQLite in the data folder is built so far; leave it out',
    );
  }
  return {
    api: read.addresses('api_listen'),
    http: read.addresses('http_listen'),
    https: read.addresses('https_listen'),
    agents: read.addresses('agent_listen'),
    metrics: read.addresses('metrics_listen'),
    tcpHosts: tcp.map((entry) => entry.host),
    tcpRange: range,
    baseDomains,
    tcpHost: read.text('tcp_host') || (read.given('base_domain') ? `tcp.${baseDomains[0]}` : 'localhost'),
    agentNames: read.given('agent_name')
      ? read.list('agent_name')
      : ['localhost', ...baseDomains.map((name) => `connect.${name}`)],
    publicHttpPort: read.port('public_http_port'),
    publicHttpsPort: read.port('public_https_port'),
    publicApiUrl: read.url('public_api_url'),
    autoReserve: read.choice('auto_reserve', ['any', 'base', 'off']),
    trustedProxies: read.list('trusted_proxies').map(cidr),
    proxyProtocol: read.switch('proxy_protocol'),
    tlsCertificates: read.list('tls_certificate').map((pair) => certificateFiles(pair, surroundings.cwd)),
    dataDir: path.resolve(surroundings.cwd, read.text('data_dir') || defaultDataDir(surroundings)),
    apiRateLimit: read.number('api_rate_limit', 1, 10_000_000),
    corsOrigins: read.list('cors_origin'),
    drainMs: read.number('drain_timeout', 0, 3600) * 1000,
    requestHeadMs: read.number('request_head_timeout', 0.1, 3600) * 1000,
    idleMs: read.number('idle_timeout', 0.1, 86_400) * 1000,
    maxConnections: read.count('max_connections'),
    maxConnectionsPerIp: read.count('max_connections_per_ip'),
    logFormat:
      read.text('log_format') === ''
        ? surroundings.isTerminal
          ? 'pretty'
          : 'json'
        : read.choice('log_format', ['pretty', 'json']),
    logLevel: read.choice('log_level', ['debug', 'info', 'warn', 'error']),
  };
}

class SettingsReader {
  readonly #sources: readonly RawSettings[];
  constructor(sources: readonly RawSettings[]) {
    this.#sources = sources;
  }

  given(key: SettingKey): boolean {
    return this.#sources.some((source) => source[key] !== undefined);
  }

  list(key: SettingKey): readonly string[] {
    for (const source of this.#sources) {
      const values = source[key];
      if (values !== undefined) return values.filter((value) => value !== '');
    }
    const fallback = SERVER_OPTIONS.find((option) => option.key === key)?.default ?? '';
    return fallback === '' ? [] : [fallback];
  }

  text(key: SettingKey): string {
    const values = this.list(key);
    if (values.length > 1) throw new ConfigError(flagOf(key), values.join(' '), 'takes one value');
    return values[0] ?? '';
  }

  addresses(key: SettingKey): readonly Address[] {
    const addresses = this.list(key).map((text) => parseAddress(flagOf(key), text));
    if (addresses.length === 0) throw new ConfigError(flagOf(key), '', 'an address is needed');
    return addresses;
  }

  choice<T extends string>(key: SettingKey, allowed: readonly T[]): T {
    const value = this.text(key);
    const found = allowed.find((item) => item === value);
    if (found === undefined) throw new ConfigError(flagOf(key), value, `use one of ${allowed.join(', ')}`);
    return found;
  }

  number(key: SettingKey, least: number, most: number): number {
    const text = this.text(key);
    const value = /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) {
      throw new ConfigError(flagOf(key), text, `expected a number from ${least} to ${most}`);
    }
    return value;
  }

  count(key: SettingKey): number {
    const value = this.number(key, 1, 1_000_000);
    if (!Number.isInteger(value)) throw new ConfigError(flagOf(key), this.text(key), 'expected a whole number');
    return value;
  }

  port(key: SettingKey): number | null {
    const text = this.text(key);
    return text === '' ? null : parsePort(flagOf(key), text, text);
  }

  switch(key: SettingKey): boolean {
    const text = this.text(key);
    if (text === '' || text === 'false' || text === '0') return false;
    if (text === 'true' || text === '1') return true;
    throw new ConfigError(flagOf(key), text, 'expected true or false');
  }

  url(key: SettingKey): string {
    const text = this.text(key);
    if (text === '') return '';
    const url = URL.canParse(text) ? new URL(text) : null;
    if (url === null || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search !== '') {
      throw new ConfigError(flagOf(key), text, 'expected http(s)://host[:port] without a path: clients drop one');
    }
    return url.origin;
  }
}

function domainName(key: SettingKey, text: string): string {
  const name = text.toLowerCase().replace(/\.$/, '');
  if (
    !/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/.test(name) ||
    name.length > 200
  ) {
    throw new ConfigError(flagOf(key), text, 'expected a domain name, as tunnel.example.com');
  }
  return name;
}

function cidr(text: string): string {
  const [address = '', bits] = text.split('/');
  const family = isIP(address);
  const most = family === 6 ? 128 : 32;
  const size = bits === undefined ? most : Number(bits);
  if (family === 0 || !Number.isInteger(size) || size < 0 || size > most) {
    throw new ConfigError(flagOf('trusted_proxies'), text, 'expected an address or a range, as 10.0.0.0/8');
  }
  new BlockList().addSubnet(address, size, family === 6 ? 'ipv6' : 'ipv4');
  return `${address}/${size}`;
}

function certificateFiles(pair: string, cwd: string): { cert: string; key: string } {
  const [cert = '', key = '', ...rest] = pair.split(',');
  if (cert === '' || key === '' || rest.length > 0) {
    throw new ConfigError(flagOf('tls_certificate'), pair, 'expected two files, as cert.pem,key.pem');
  }
  return { cert: path.resolve(cwd, cert), key: path.resolve(cwd, key) };
}

function defaultDataDir({ cloneRoot }: Surroundings): string {
  if (cloneRoot !== null && existsSync(path.join(cloneRoot, 'package.json'))) return path.join(cloneRoot, '.postern');
  return envPaths('postern', { suffix: '' }).data;
}

function maskPassword(url: string): string {
  return url.replace(/\/\/([^:@/]*):[^@/]*@/, '//$1:…@');
}
