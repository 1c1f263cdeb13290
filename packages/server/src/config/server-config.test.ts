import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError } from './config-error.ts';
import { flagOf, type RawSettings, SERVER_OPTIONS, type SettingKey, variableOf } from './options.ts';
import { resolveConfig, type ServerConfig, type Surroundings } from './server-config.ts';
import { fromEnvironment, fromFile } from './sources.ts';

const surroundings: Surroundings = { cwd: '/home/me', cloneRoot: '/clone', isTerminal: false };
const resolve = (...sources: RawSettings[]): ServerConfig => resolveConfig(sources, surroundings);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'postern-config-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
function yaml(text: string): RawSettings {
  const file = path.join(folder, 'postern.yml');
  writeFileSync(file, text);
  return fromFile(file);
}

describe('defaults', () => {
  test('are loopback, SQLite in the clone, and names under postern.localhost', () => {
    expect(resolve()).toEqual({
      api: [{ host: '127.0.0.1', port: 4400 }],
      http: [{ host: '127.0.0.1', port: 8880 }],
      https: [{ host: '127.0.0.1', port: 8443 }],
      agents: [{ host: '127.0.0.1', port: 4443 }],
      metrics: [{ host: '127.0.0.1', port: 4401 }],
      tcpHosts: ['127.0.0.1'],
      tcpRange: { from: 20_000, to: 20_999 },
      baseDomains: ['postern.localhost'],
      tcpHost: 'localhost',
      agentNames: ['connect.postern.localhost', 'localhost'],
      publicHttpPort: null,
      publicHttpsPort: null,
      redirectToHttps: true,
      publicApiUrl: '',
      autoReserve: 'any',
      region: 'us',
      trustedProxies: [],
      policyOutgoingAllow: [],
      strictExpressions: false,
      addressData: [],
      owaspCrs: [],
      oauthApps: '',
      loginHost: 'idp.postern.localhost',
      proxyProtocol: false,
      tlsCertificates: [],
      caDomains: [],
      acme: null,
      localCertificates: 'any',
      dataDir: '/clone/.postern',
      apiRateLimit: 20_000,
      corsOrigins: [],
      drainMs: 30_000,
      agentReturnMs: 150_000,
      workers: 0,
      requestHeadMs: 30_000,
      idleMs: 300_000,
      stallMs: 30_000,
      maxConnections: 20_000,
      maxConnectionsPerIp: 10_000,
      maxStreamsPerAgent: 480,
      maxStreamsPerOwnAgent: 16_384,
      queueMs: 5_000,
      arrivalMs: 2_000,
      logFormat: 'json',
      accessLog: null,
      logLevel: 'info',
    } satisfies ServerConfig);
  });

  test('depend on where it runs', () => {
    expect(resolveConfig([], { ...surroundings, isTerminal: true }).logFormat).toBe('pretty');
    const installed = resolveConfig([], { ...surroundings, cloneRoot: null }).dataDir;
    expect(path.isAbsolute(installed)).toBe(true);
    expect(installed).toContain('postern');
  });
});

describe('precedence', () => {
  /** A value for each setting that differs from its default, and one that differs from that. */
  const VALUES: Readonly<Record<SettingKey, readonly [string, string]>> = {
    api_listen: ['127.0.0.1:1', '127.0.0.1:2'],
    http_listen: ['127.0.0.1:3', '127.0.0.1:4'],
    https_listen: ['127.0.0.1:5', '127.0.0.1:6'],
    agent_listen: ['127.0.0.1:7', '127.0.0.1:8'],
    tcp_listen: ['127.0.0.1:1000-1001', '127.0.0.1:2000-2001'],
    metrics_listen: ['127.0.0.1:9', '127.0.0.1:10'],
    base_domain: ['one.test', 'two.test'],
    tcp_host: ['tcp.one.test', 'tcp.two.test'],
    agent_name: ['agents.one.test', 'agents.two.test'],
    public_http_port: ['80', '81'],
    public_https_port: ['443', '444'],
    redirect_to_https: ['false', 'true'],
    public_api_url: ['https://api.one.test', 'https://api.two.test'],
    auto_reserve: ['base', 'off'],
    region: ['eu', 'ap'],
    trusted_proxies: ['10.0.0.0/8', '192.168.0.0/16'],
    policy_outgoing_allow: ['10.1.0.0/16', '10.2.0.0/16'],
    strict_expressions: ['true', 'false'],
    address_data: ['one.mmdb', 'two.mmdb'],
    owasp_crs: ['one', 'two'],
    oauth_apps: ['one.yaml', 'two.yaml'],
    proxy_protocol: ['true', 'false'],
    tls_certificate: ['a.pem,a.key', 'b.pem,b.key'],
    ca_domain: ['one.test', '*'],
    acme_email: ['me@one.test', 'me@two.test'],
    acme_agree_terms: ['true', 'false'],
    acme_directory: ['https://one.test/dir', 'https://two.test/dir'],
    acme_ca_root: ['one.pem', 'two.pem'],
    acme_eab: ['one:AAAAAAAAAAAAAAAAAAAAAA', 'two:AAAAAAAAAAAAAAAAAAAAAA'],
    acme_key_type: ['rsa', 'ecdsa'],
    acme_profile: ['shortlived', 'classic'],
    acme_preferred_chain: ['One Root', 'Two Root'],
    acme_resolver: ['127.0.0.1:53', '127.0.0.2:53'],
    dns_listen: ['127.0.0.1:53', '127.0.0.2:53'],
    dns_hook: ['./one', './two'],
    dns_update_server: ['127.0.0.1:53', '127.0.0.2:53'],
    dns_update_key: ['one:hmac-sha256:one.txt', 'two:hmac-sha512:two.txt'],
    dns_update_zone: ['one.test', 'two.test'],
    local_certificates: ['none', 'base'],
    workers: ['1', '2'],
    data_dir: ['one', 'two'],
    database: ['', ''],
    api_rate_limit: ['1', '2'],
    cors_origin: ['https://one.test', 'https://two.test'],
    drain_timeout: ['1', '2'],
    agent_return_timeout: ['1', '2'],
    request_head_timeout: ['1', '2'],
    idle_timeout: ['1', '2'],
    stall_timeout: ['1', '2'],
    max_connections: ['1', '2'],
    max_connections_per_ip: ['1', '2'],
    max_streams_per_agent: ['100', '200'],
    max_streams_per_own_agent: ['1000', '2000'],
    queue_timeout: ['1', '2'],
    arrival_timeout: ['1', '3'],
    log_format: ['pretty', 'json'],
    log_level: ['debug', 'warn'],
    access_log: ['lines.log', '/var/log/lines.log'],
    access_log_format: ['combined', 'json'],
  };
  /** So that a proxy_protocol of true is acceptable, and what is said of orders and of the access log means something. */
  const proxied: RawSettings = {
    trusted_proxies: ['127.0.0.1'],
    acme_email: ['me@other.test'],
    access_log: ['other.log'],
  };
  const updating: RawSettings = { dns_update_server: ['127.0.0.3:53'], dns_update_key: ['a:hmac-sha256:a.txt'] };

  test.each(SERVER_OPTIONS.map(({ key }) => key).filter((key) => key !== 'database'))(
    '%s: flag, then environment, then file, then default',
    (key) => {
      const [first, second] = VALUES[key];
      const base: RawSettings = key.startsWith('dns_update') ? { ...proxied, ...updating } : proxied;
      const one: RawSettings = { [key]: [first] };
      const two: RawSettings = { [key]: [second] };
      const environment = fromEnvironment({ [variableOf(key)]: second });
      expect(environment).toEqual(two);
      const file = yaml(`${key}: ${JSON.stringify(second)}\n`);
      expect(file).toEqual(two);
      const none = resolve({}, base);
      expect(resolve(one, base)).not.toEqual(none);
      expect(resolve(one, environment, file, base)).toEqual(resolve(one, base));
      expect(resolve({}, environment, yaml(`${key}: ${JSON.stringify(first)}\n`), base)).toEqual(resolve(two, base));
      expect(resolve({}, fromEnvironment({ [variableOf(key)]: '' }), file, base)).toEqual(resolve(two, base));
    },
  );

  test('a list of the winner replaces the whole list of the others', () => {
    const file = yaml('base_domain: [a.test, b.test]\nhttp_listen:\n  - 127.0.0.1:80\n  - "[::1]:80"\n');
    expect(resolve({}, {}, file)).toMatchObject({
      baseDomains: ['a.test', 'b.test'],
      http: [
        { host: '127.0.0.1', port: 80 },
        { host: '::1', port: 80 },
      ],
    });
    expect(resolve({ base_domain: ['c.test'] }, {}, file).baseDomains).toEqual(['c.test']);
  });

  test('lists in the environment are separated by commas or spaces, pairs of files by spaces', () => {
    expect(
      fromEnvironment({ POSTERN_BASE_DOMAIN: 'a.test, b.test', POSTERN_TLS_CERTIFICATE: 'a.pem,a.key  b.pem,b.key' }),
    ).toEqual({ base_domain: ['a.test', 'b.test'], tls_certificate: ['a.pem,a.key', 'b.pem,b.key'] });
  });
});

describe('origins of web pages', () => {
  test.each([
    ['https://Tools.Example.com', 'https://tools.example.com'],
    ['http://localhost:3000/', 'http://localhost:3000'],
    ['*', '*'],
  ])('%s', (given, origin) => expect(resolve({ cors_origin: [given] }).corsOrigins).toEqual([origin]));

  test.each(['tools.example.com', 'https://a.test/path', 'null', 'https://*.test', 'https://a.test:443'])(
    '%s is none',
    (given) => expect(() => resolve({ cors_origin: [given] })).toThrow('--cors-origin'),
  );
});

describe('what follows from others', () => {
  test('names under a given base domain', () => {
    expect(resolve({ base_domain: ['Tunnel.Example.com.'] })).toMatchObject({
      baseDomains: ['tunnel.example.com'],
      tcpHost: 'tcp.tunnel.example.com',
      agentNames: ['connect.tunnel.example.com', 'localhost'],
    });
  });

  test('the agent listener may share the HTTPS port', () => {
    const shared = resolve({ https_listen: ['0.0.0.0:443'], agent_listen: ['0.0.0.0:443'] });
    expect(shared.agents).toEqual([]);
    expect(resolve({ https_listen: ['127.0.0.1:0'], agent_listen: ['127.0.0.1:0'] }).agents).toHaveLength(1);
  });

  test('files are meant from where the user is', () => {
    expect(resolve({ data_dir: ['data'], tls_certificate: ['c.pem,/etc/c.key'] })).toMatchObject({
      dataDir: '/home/me/data',
      tlsCertificates: [{ cert: '/home/me/c.pem', key: '/etc/c.key' }],
    });
  });

  test('every address form', () => {
    const forms = ['443', ':443', '0.0.0.0:443', '[::1]:443', 'localhost:443', '127.0.0.1:0'];
    expect(resolve({ api_listen: forms }).api).toEqual([
      { host: '127.0.0.1', port: 443 },
      { host: '::', port: 443 },
      { host: '0.0.0.0', port: 443 },
      { host: '::1', port: 443 },
      { host: 'localhost', port: 443 },
      { host: '127.0.0.1', port: 0 },
    ]);
    expect(resolve({ tcp_listen: ['0.0.0.0:7000', '[::]:7000'] })).toMatchObject({
      tcpHosts: ['0.0.0.0', '::'],
      tcpRange: { from: 7000, to: 7000 },
    });
    expect(resolve({ trusted_proxies: ['10.0.0.1', 'fd00::/8'] }).trustedProxies).toEqual(['10.0.0.1/32', 'fd00::/8']);
    expect(resolve({ policy_outgoing_allow: ['10.1.0.0/16'] }).policyOutgoingAllow).toEqual(['10.1.0.0/16']);
    expect(resolve({ proxy_protocol: ['1'], trusted_proxies: ['::1'] }).proxyProtocol).toBe(true);
  });
});

describe('what cannot be used is refused, naming the flag and the value', () => {
  const bad: [key: SettingKey, values: string[], words?: string][] = [
    ['api_listen', [''], 'an address is needed'],
    ['http_listen', ['127.0.0.1:99999'], 'is not a port'],
    ['http_listen', ['127.0.0.1:-1']],
    ['http_listen', ['127.0.0.1:'], 'is not a port'],
    ['http_listen', ['::1:80'], 'in brackets'],
    ['http_listen', ['[127.0.0.1]:80'], 'is not an IPv6 address'],
    ['https_listen', ['example.com:443'], 'is not an IP address'],
    ['https_listen', ['127.0.0.1:8880'], 'the same as --http-listen'],
    ['metrics_listen', ['127.0.0.1:4400'], 'the same as --api-listen'],
    ['agent_listen', ['127.0.0.1:8880'], 'the same as --http-listen'],
    ['tcp_listen', ['127.0.0.1:30-20'], 'expected host:from-to'],
    ['tcp_listen', ['127.0.0.1:0-20'], 'expected host:from-to'],
    ['tcp_listen', ['127.0.0.1:1-2-3'], 'expected host:from-to'],
    ['tcp_listen', ['127.0.0.1:1-2', '[::1]:3-4'], 'the same ports'],
    ['tcp_listen', ['']],
    ['base_domain', ['not_a_domain'], 'expected a domain name'],
    ['base_domain', ['-a.test'], 'expected a domain name'],
    ['base_domain', ['http://a.test'], 'expected a domain name'],
    ['tcp_host', ['a b'], 'expected a domain name'],
    ['agent_name', ['a:4443'], 'expected a domain name'],
    ['public_http_port', ['http'], 'is not a port'],
    ['public_https_port', ['70000'], 'is not a port'],
    ['public_api_url', ['ftp://a.test'], 'expected http(s)://'],
    ['public_api_url', ['https://a.test/api'], 'without a path'],
    ['public_api_url', ['a.test'], 'expected http(s)://'],
    ['auto_reserve', ['maybe'], 'use one of any, base, off'],
    ['trusted_proxies', ['10.0.0.0/'], 'expected an address or a range'],
    ['trusted_proxies', ['10.0.0.0/33'], 'expected an address or a range'],
    ['trusted_proxies', ['10.0.0.0/8/8'], 'expected an address or a range'],
    ['trusted_proxies', ['proxy.test'], 'expected an address or a range'],
    ['proxy_protocol', ['yes'], 'expected true or false'],
    ['proxy_protocol', ['true'], 'needs --trusted-proxies'],
    ['tls_certificate', ['only.pem'], 'expected two files'],
    ['tls_certificate', ['a,b,c'], 'expected two files'],
    ['api_rate_limit', ['0'], 'expected a number from 1'],
    ['api_rate_limit', ['1.5'], 'expected a whole number'],
    ['drain_timeout', ['-1'], 'expected a number from 0'],
    ['drain_timeout', ['1e3']],
    ['request_head_timeout', ['0'], 'expected a number from 0.1'],
    ['idle_timeout', ['soon'], 'expected a number'],
    ['max_connections', ['many'], 'expected a number'],
    ['max_connections_per_ip', ['2.5'], 'expected a whole number'],
    ['log_format', ['xml'], 'use one of pretty, json'],
    ['log_level', ['loud'], 'use one of debug, info, warn, error'],
    ['log_level', ['info', 'warn'], 'takes one value'],
    ['database', ['postgres://me:secret@db/postern'], 'only SQLite'],
  ];
  test.each(bad)('%s %j', (key, values, words = '') => {
    expect(() => resolve({ [key]: values })).toThrow(ConfigError);
    expect(() => resolve({ [key]: values })).toThrow(flagOf(key));
    expect(() => resolve({ [key]: values })).toThrow(words);
  });

  const update = { dns_update_server: ['ns1.example.com'], dns_update_key: ['acme:hmac-sha256:secret.txt'] };
  test.each([
    [{ dns_update_server: ['a.test:53'] }, '--dns-update-key', 'expected the name of a key'],
    [{ ...update, dns_update_key: ['acme:hmac-md5:secret.txt'] }, '--dns-update-key', 'as acme:hmac-sha256:secret.txt'],
    [{ ...update, dns_update_server: ['a.test:99999'] }, '--dns-update-server', 'is not a port'],
    [{ ...update, dns_update_server: ['a.test:x'] }, '--dns-update-server', 'expected the address or name'],
    [{ ...update, dns_update_zone: ['a b'] }, '--dns-update-zone', 'expected the name of a zone'],
    [{ dns_update_zone: ['a.test'] }, '--dns-update-zone', 'says nothing without --dns-update-server'],
    [{ ...update, dns_hook: ['./one'] }, '--dns-hook', 'not beside --dns-update-server'],
    [{ ...update, dns_listen: ['127.0.0.1:53'] }, '--dns-update-server', 'not beside --dns-listen'],
  ] as const)('records in DNS: %j', (settings, flag, words) => {
    const act = (): unknown => resolve(settings, { acme_email: ['me@example.com'] });
    expect(act).toThrow(flag);
    expect(act).toThrow(words);
  });

  test('a name server without a port is asked on 53', () => {
    expect(resolve(update, { acme_email: ['me@example.com'] }).acme?.dns).toEqual({
      kind: 'update',
      server: { host: 'ns1.example.com', port: 53 },
      key: { name: 'acme', algorithm: 'hmac-sha256', file: '/home/me/secret.txt' },
      zone: '',
    });
  });

  test('a password in a database URL is not repeated', () => {
    expect(() => resolve({ database: ['postgres://me:secret@db/x'] })).toThrow('//me:…@db');
  });

  test.each([
    ['colour: blue', 'the key "colour" is not known; known keys: api_listen'],
    ['http_listen: { host: a }', 'the key "http_listen" must be a text or a list of texts'],
    ['http_listen:', 'the key "http_listen" must be a text or a list of texts'],
    ['- a', 'the file must hold a map of settings'],
    ['a: [', 'the file is not YAML'],
  ])('a file that says %s', (text, words) => {
    expect(() => yaml(text)).toThrow(words);
    expect(() => yaml(text)).toThrow(ConfigError);
  });

  test('a file that is missing, or too large', () => {
    expect(() => fromFile(path.join(folder, 'absent.yml'))).toThrow(/--config .*absent\.yml: the file cannot be read/);
    expect(() => yaml(`# ${'x'.repeat(1024 * 1024)}\n`)).toThrow('larger than 1 MiB');
    expect(yaml('')).toEqual({});
  });
});
