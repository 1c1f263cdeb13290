import { isIP } from 'node:net';
import path from 'node:path';
import envPaths from 'env-paths';
import type { AccessLogSettings } from '../access-log/access-log.ts';
import { type AcmeSettings, acmeSettings } from './acme-settings.ts';
import { type Address, type PortRange, formatAddress, parseRange } from './addresses.ts';
import { ConfigError } from './config-error.ts';
import { type RawSettings, type SettingKey, flagOf } from './options.ts';
import { forListeners, type ListenerName, listeners as allListeners } from '../listeners/list.ts';
import { SettingsReader } from './settings-reader.ts';
import { workerCount } from './worker-count.ts';

/** Where each listener listens. Empty = those who are meant for it come to another one (`within`). */
type Listening = Readonly<Record<ListenerName, readonly Address[]>>;

/** Everything the server needs to know, understood and checked. Ports of 0 are settled when listeners are bound. */
export interface ServerConfig extends Listening {
  readonly tcpHosts: readonly string[];
  readonly tcpRange: PortRange;
  readonly baseDomains: readonly string[];
  readonly tcpHost: string;
  readonly agentNames: readonly string[];
  readonly publicHttpPort: number | null;
  readonly publicHttpsPort: number | null;
  readonly redirectToHttps: boolean;
  readonly publicApiUrl: string;
  readonly autoReserve: 'any' | 'base' | 'off';
  /** What API, agents and sessions are told; clients expect some. */
  readonly region: string;
  readonly trustedProxies: readonly string[];
  readonly proxyProtocol: boolean;
  readonly policyOutgoingAllow: readonly string[];
  readonly strictExpressions: boolean;
  /** Files about addresses. */
  readonly addressData: readonly string[];
  /** Folders and files of the Core Rule Set; empty = there is none. */
  readonly owaspCrs: readonly string[];
  /** File of apps at identity providers; '' = none. */
  readonly oauthApps: string;
  /** Where those send visitors back to. */
  readonly loginHost: string;
  readonly tlsCertificates: readonly { readonly cert: string; readonly key: string }[];
  /** Beside base domains and agent names, what the local authority may sign for; `*` = any name. */
  readonly caDomains: readonly string[];
  /** null = no certificates are ordered. */
  readonly acme: AcmeSettings | null;
  readonly localCertificates: 'any' | 'base' | 'none';
  /** Processes that serve visitors and agents; 0 = this one does. */
  readonly workers: number;
  readonly dataDir: string;
  readonly apiRateLimit: number;
  readonly corsOrigins: readonly string[];
  readonly drainMs: number;
  /** Official agents try again after 125 s at the latest. */
  readonly agentReturnMs: number;
  readonly requestHeadMs: number;
  readonly idleMs: number;
  readonly stallMs: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerIp: number;
  readonly maxStreamsPerAgent: number;
  readonly maxStreamsPerOwnAgent: number;
  readonly queueMs: number;
  /** 0 = nobody is refused for it. */
  readonly arrivalMs: number;
  readonly logFormat: 'pretty' | 'json';
  /** A file, or '-' for standard output; null = no access log. */
  readonly accessLog: AccessLogSettings | null;
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
  const tcp = tcpListeners(read);
  refuseDatabase(read.text('database'));
  const listening = forListeners(({ setting }) => read.addresses(setting));
  refuseSharedPorts(listening);
  const trustedProxies = read.list('trusted_proxies').map((range) => cidr('trusted_proxies', range));
  const proxyProtocol = read.switch('proxy_protocol');
  if (proxyProtocol && trustedProxies.length === 0) {
    throw new ConfigError(
      flagOf('proxy_protocol'),
      '',
      'needs --trusted-proxies: who may say where visitors come from',
    );
  }
  const acme = acmeSettings(read, surroundings.cwd);
  return {
    ...forListeners(({ name, within }) =>
      within === null
        ? listening[name]
        : listening[name].filter((address) => !listening[within].some((other) => isSame(address, other))),
    ),
    tcpHosts: tcp.hosts,
    tcpRange: tcp.range,
    baseDomains,
    tcpHost: tcpHost(read, baseDomains),
    agentNames: agentNames(read, baseDomains),
    publicHttpPort: read.port('public_http_port'),
    publicHttpsPort: read.port('public_https_port'),
    redirectToHttps: read.switch('redirect_to_https'),
    publicApiUrl: read.url('public_api_url'),
    autoReserve: read.choice('auto_reserve', ['any', 'base', 'off']),
    region: regionName(read.text('region')),
    trustedProxies,
    proxyProtocol,
    policyOutgoingAllow: read.list('policy_outgoing_allow').map((range) => cidr('policy_outgoing_allow', range)),
    strictExpressions: read.switch('strict_expressions'),
    addressData: read.list('address_data').map((file) => path.resolve(surroundings.cwd, file)),
    owaspCrs: read.list('owasp_crs').map((place) => path.resolve(surroundings.cwd, place)),
    oauthApps: read.text('oauth_apps') && path.resolve(surroundings.cwd, read.text('oauth_apps')),
    loginHost: `idp.${baseDomains[0] ?? 'localhost'}`,
    tlsCertificates: read.list('tls_certificate').map((pair) => certificateFiles(pair, surroundings.cwd)),
    caDomains: read.list('ca_domain').map((name) => (name === '*' ? name : domainName('ca_domain', name))),
    acme,
    localCertificates:
      read.text('local_certificates') === ''
        ? acme?.agreed !== true
          ? 'any'
          : 'base'
        : read.choice('local_certificates', ['any', 'base', 'none']),
    workers: workerCount(read),
    dataDir: path.resolve(surroundings.cwd, read.text('data_dir') || defaultDataDir(surroundings)),
    apiRateLimit: read.count('api_rate_limit', 10_000_000),
    corsOrigins: read.list('cors_origin').map(webOrigin),
    drainMs: read.number('drain_timeout', 0, 3600) * 1000,
    agentReturnMs: read.number('agent_return_timeout', 0, 86_400) * 1000,
    requestHeadMs: read.number('request_head_timeout', 0.1, 3600) * 1000,
    idleMs: read.number('idle_timeout', 0.1, 86_400) * 1000,
    stallMs: read.number('stall_timeout', 1, 86_400) * 1000,
    maxConnections: read.count('max_connections', 1_000_000),
    maxConnectionsPerIp: read.count('max_connections_per_ip', 1_000_000),
    maxStreamsPerAgent: read.count('max_streams_per_agent', 1_000_000),
    maxStreamsPerOwnAgent: read.count('max_streams_per_own_agent', 1_000_000),
    queueMs: read.number('queue_timeout', 0.1, 3600) * 1000,
    arrivalMs: read.number('arrival_timeout', 0, 3600) * 1000,
    logFormat:
      read.text('log_format') === ''
        ? surroundings.isTerminal
          ? 'pretty'
          : 'json'
        : read.choice('log_format', ['pretty', 'json']),
    accessLog: accessLog(read, surroundings.cwd),
    logLevel: read.choice('log_level', ['debug', 'info', 'warn', 'error']),
  };
}

function accessLog(read: SettingsReader, cwd: string): AccessLogSettings | null {
  const place = read.text('access_log');
  const format = read.choice('access_log_format', ['json', 'combined']);
  return place === '' ? null : { place: place === '-' ? place : path.resolve(cwd, place), format };
}

function tcpListeners(read: SettingsReader): { readonly hosts: readonly string[]; readonly range: PortRange } {
  const texts = read.list('tcp_listen');
  const [first, ...others] = texts.map((text) => parseRange(flagOf('tcp_listen'), text));
  if (first === undefined) throw new ConfigError(flagOf('tcp_listen'), '', 'an address is needed');
  if (others.some(({ range }) => range.from !== first.range.from || range.to !== first.range.to)) {
    throw new ConfigError(flagOf('tcp_listen'), texts.join(' '), 'every address needs the same ports');
  }
  return { hosts: [first.host, ...others.map(({ host }) => host)], range: first.range };
}

function tcpHost(read: SettingsReader, [base]: readonly string[]): string {
  const given = read.text('tcp_host');
  if (given !== '') return hostName('tcp_host', given);
  return read.given('base_domain') && base !== undefined ? `tcp.${base}` : 'localhost';
}

/** `localhost` is always one of them: the demo and `postern http` dial this machine under that name. */
function agentNames(read: SettingsReader, baseDomains: readonly string[]): readonly string[] {
  const given = read.list('agent_name').map((name) => hostName('agent_name', name));
  return [...new Set([...given, ...baseDomains.map((name) => `connect.${name}`), 'localhost'])];
}

/** Agents, told apart by the name that they ask for, may share the HTTPS port; nothing else can be told apart on one. */
function refuseSharedPorts(listening: Listening): void {
  for (const [index, { name, setting, within }] of allListeners.entries()) {
    for (const other of allListeners.slice(0, index)) {
      if (within === other.name) continue;
      const taken = listening[other.name];
      const twice = listening[name].find((address) => taken.some((candidate) => isSame(address, candidate)));
      if (twice !== undefined) {
        throw new ConfigError(
          flagOf(setting),
          formatAddress(twice),
          `the same as ${flagOf(other.setting)}; each needs a port of its own`,
        );
      }
    }
  }
}

function isSame(one: Address, other: Address): boolean {
  return one.port !== 0 && one.port === other.port && one.host === other.host;
}

function refuseDatabase(url: string): void {
  if (url === '') return;
  throw new ConfigError(
    flagOf('database'),
    maskPassword(url),
    'only SQLite in the data folder is built so far; leave it out',
  );
}

function hostName(key: SettingKey, text: string): string {
  return isIP(text) === 0 ? domainName(key, text) : text;
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

/** As published ones are written: `us`, `eu-lon-1`. */
function regionName(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/.test(text)) return text;
  throw new ConfigError(flagOf('region'), text, 'expected a short name of letters, digits and hyphens, as us');
}

function cidr(setting: 'trusted_proxies' | 'policy_outgoing_allow', text: string): string {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  const most = family === 6 ? 128 : 32;
  const size = bits === undefined ? most : /^[0-9]{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (family === 0 || rest.length > 0 || !(size <= most)) {
    throw new ConfigError(flagOf(setting), text, 'expected an address or a range, as 10.0.0.0/8');
  }
  return `${address}/${size}`;
}

/** As a browser writes it: scheme, host, and the port where it is not the scheme's own. */
function webOrigin(text: string): string {
  if (text === '*') return text;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (
    url === null ||
    text.includes('*') ||
    !['http:', 'https:'].includes(url.protocol) ||
    url.origin !== text.toLowerCase().replace(/\/$/, '')
  ) {
    throw new ConfigError(flagOf('cors_origin'), text, 'expected an origin, as https://tools.example.com, or *');
  }
  return url.origin;
}

function certificateFiles(pair: string, cwd: string): { cert: string; key: string } {
  const [cert = '', key = '', ...rest] = pair.split(',');
  if (cert === '' || key === '' || rest.length > 0) {
    throw new ConfigError(flagOf('tls_certificate'), pair, 'expected two files, as cert.pem,key.pem');
  }
  return { cert: path.resolve(cwd, cert), key: path.resolve(cwd, key) };
}

function defaultDataDir({ cloneRoot }: Surroundings): string {
  return cloneRoot === null ? envPaths('postern', { suffix: '' }).data : path.join(cloneRoot, '.postern');
}

function maskPassword(url: string): string {
  return url.replace(/\/\/([^:@/]*):[^@/]*@/, '//$1:…@');
}
