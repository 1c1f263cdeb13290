import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigProblem } from './config-problem.ts';
import { readConfig } from './read-config.ts';
import { upgraded } from './upgrade.ts';
import { setKeys } from './write-config.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-config-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, text: string): Promise<string> {
  const where = path.join(folder, name);
  await writeFile(where, text);
  return where;
}
const read = async (text: string) => readConfig([await file('a.yml', text)]);

describe('reading', () => {
  test('version 3: settings, endpoints and tunnels', async () => {
    const { settings, endpoints } = await read(`
version: 3
agent:
  authtoken: T
  connect_url: tunnel.test:4443
  connect_cas: ca.pem
  heartbeat_interval: 1m30s
  web_addr: false
endpoints:
  - name: web
    url: https://web.test
    bindings: [public]
    pooling_enabled: true
    traffic_policy:
      on_http_request: [{ actions: [{ type: deny }] }]
    upstream: { url: 3000, protocol: http2, proxy_protocol: 2 }
  - name: db
    upstream: { url: tcp://localhost:5432 }
tunnels:
  old: { proto: http, addr: 80, hostname: old.test, auth: "ada:longpassword", bind_tls: both }
`);
    expect(settings).toEqual({
      authtoken: 'T',
      connect_url: 'tunnel.test:4443',
      connect_cas: path.join(folder, 'ca.pem'),
      heartbeat_interval: 90_000,
      web_addr: 'false',
    });
    expect(Object.fromEntries(endpoints)).toEqual({
      web: {
        proto: 'http',
        target: '3000',
        options: {
          name: 'web',
          url: 'https://web.test',
          binding: 'public',
          poolingEnabled: true,
          trafficPolicy: '{"on_http_request":[{"actions":[{"type":"deny"}]}]}',
          upstreamProtocol: 'http2',
          upstreamProxyProtocol: '2',
        },
      },
      db: { proto: 'tcp', target: 'tcp://localhost:5432', options: { name: 'db' } },
      old: {
        proto: 'http',
        target: '80',
        options: {
          name: 'old',
          url: 'old.test',
          schemes: ['https', 'http'],
          older: { basicAuth: ['ada:longpassword'] },
        },
      },
    });
  });

  test('version 2, with the names of today', async () => {
    const { settings, endpoints } = await read(`
version: 2
authtoken: T
server_addr: tunnel.test:4443
root_cas: host
region: eu
http_proxy: http://proxy.test
tunnels:
  ssh: { proto: tcp, addr: 22, remote_addr: tunnel.test:20001 }
`);
    expect(settings).toEqual({
      authtoken: 'T',
      connect_url: 'tunnel.test:4443',
      connect_cas: 'host',
      proxy_url: 'http://proxy.test',
    });
    expect(endpoints.get('ssh')).toEqual({
      proto: 'tcp',
      target: '22',
      options: { name: 'ssh', url: 'tcp://tunnel.test:20001' },
    });
  });

  test('several: of a key the last counts, endpoints are merged by name', async () => {
    const endpoint = (name: string, port: number) => `  - { name: ${name}, upstream: { url: ${port} } }\n`;
    const first = await file(
      'a.yml',
      `version: 3\nagent: { authtoken: A, api_key: K, web_allow_hosts: [a, b] }\nendpoints:\n${endpoint('one', 1)}${endpoint('two', 2)}`,
    );
    const second = await file(
      'b.yml',
      `version: 3\nagent: { authtoken: B, web_allow_hosts: [c] }\nendpoints:\n${endpoint('two', 22)}`,
    );
    const { settings, endpoints } = await readConfig([first, second]);
    expect(settings).toEqual({ authtoken: 'B', api_key: 'K', web_allow_hosts: ['c'] });
    expect([...endpoints].map(([name, { target }]) => [name, target])).toEqual([
      ['one', '1'],
      ['two', '22'],
    ]);
  });

  test.each([
    ['version: 3\nagent:\n  authtokn: T\n', '3:3: there is no key "authtokn" in agent; did you mean "authtoken"?'],
    [
      'version: 3\nendpoints:\n- name: a\n  upstream: { url: 80, protokol: http2 }\n',
      '4:24: there is no key "protokol" in endpoints[0].upstream',
    ],
    ['version: 3\nagent: { log_level: loud }\n', '2:21: agent.log_level is one of'],
    ['version: 3\nagent: { heartbeat_interval: fast }\n', 'agent.heartbeat_interval is a duration'],
    ['version: 3\nagent: { update_check: perhaps }\n', 'agent.update_check is true or false'],
    ['agent: { authtoken: T }\n', '1:1: the first key must be "version: 3"'],
    ['version: 4\n', 'version 4 is not known; it is 3 or 2'],
    ['version: 3\nagent: [\n', 'a.yml:'],
    ['', 'the file is empty'],
    [
      'version: 3\nendpoints: [{ name: a, upstream: { url: 80 } }, { name: a, upstream: { url: 81 } }]',
      'a is there twice',
    ],
    ['version: 3\nendpoints: [{ name: a }]', 'The endpoint a has no upstream.url'],
    ['version: 3\nendpoints: [{ upstream: { url: 80 } }]', 'An endpoint has no name'],
    ['version: 2\ntunnels: { a: { proto: udp, addr: 80 } }', 'The tunnel a has the proto udp'],
    ['version: 2\ntunnels: { a: { proto: http } }', 'The tunnel a has no addr'],
  ])('%j is refused: %s', async (text, words) => {
    const refused = read(text);
    await expect(refused).rejects.toThrow(words);
    await expect(refused).rejects.toBeInstanceOf(ConfigProblem);
  });

  test('everything that is wrong is told at once', async () => {
    await expect(read('version: 3\nagent:\n  a_b_c: 1\n  log_format: x\n')).rejects.toThrow(
      /a\.yml:3:3: there is no key "a_b_c" in agent\n.*a\.yml:4:15: agent\.log_format is one of term, logfmt, json/,
    );
  });
});

describe('writing', () => {
  test('makes a private file of version 3, and keeps what others wrote', async () => {
    const made = path.join(folder, 'deep', 'agent.yml');
    await setKeys(made, { authtoken: 'T' });
    expect(await readFile(made, 'utf8')).toBe('version: 3\nagent:\n  authtoken: T\n');
    expect((await stat(made)).mode & 0o777).toBe(0o600);
    const kept = await file('kept.yml', '# mine\nversion: 3\nagent:\n  log: stdout # here\nendpoints: []\n');
    await setKeys(kept, { authtoken: 'T', connect_url: 'a:1' });
    expect(await readFile(kept, 'utf8')).toBe(
      '# mine\nversion: 3\nagent:\n  log: stdout # here\n  authtoken: T\n  connect_url: a:1\nendpoints: []\n',
    );
  });

  test('uses the names of version 2 in such a file, and writes into none that it cannot read', async () => {
    const old = await file('old.yml', 'version: "2"\nauthtoken: A\n');
    await setKeys(old, { authtoken: 'B', connect_url: 'a:1' });
    expect(await readFile(old, 'utf8')).toBe('version: "2"\nauthtoken: B\nserver_addr: a:1\n');
    const broken = await file('broken.yml', 'a: [');
    await expect(setKeys(broken, { authtoken: 'T' })).rejects.toThrow('broken.yml');
    expect(await readFile(broken, 'utf8')).toBe('a: [');
  });
});

describe('upgrading', () => {
  const OLD = `# of the team
version: 2
authtoken: T # secret
region: eu
server_addr: tunnel.test:4443
root_cas: host
made_up: 1
log_level: debug
tunnels:
  # the front
  web:
    proto: http
    addr: 3000
    auth: "ada:longpassword"
    bind_tls: both
    nonsense: 7
`;

  test('keeps every key that has a place, with comments, and names the rest', async () => {
    const result = upgraded('old.yml', OLD);
    expect(result?.text).toBe(`# of the team
version: 3
agent:
  authtoken: T # secret
  connect_url: tunnel.test:4443
  connect_cas: host
  log_level: debug
tunnels:
  # the front
  web:
    proto: http
    addr: 3000
    basic_auth: "ada:longpassword"
    schemes: [ https, http ]
`);
    expect(result?.renamed).toEqual([
      'server_addr → agent.connect_url',
      'root_cas → agent.connect_cas',
      'auth → tunnels.web.basic_auth',
      'bind_tls → tunnels.web.schemes',
    ]);
    expect(result?.dropped).toEqual([
      'region: a server has no regions to choose from',
      'agent.made_up: there is no key "made_up" in agent',
      'tunnels.web.nonsense: there is no key "nonsense" in tunnels.web',
    ]);
    const before = await read(OLD.replace('made_up: 1\n', '').replace('    nonsense: 7\n', ''));
    const after = await read(result?.text ?? '');
    expect(after.settings).toEqual(before.settings);
    expect(after.endpoints).toEqual(before.endpoints);
  });

  test('of version 3 there is nothing to do; what has no version is of version 2', () => {
    expect(upgraded('a.yml', 'version: 3\nagent: {}\n')).toBeNull();
    expect(upgraded('a.yml', 'authtoken: T\n')?.text).toBe('version: 3\nagent:\n  authtoken: T\n');
  });
});
