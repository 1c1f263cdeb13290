/** docs/headers.md, row by row: what a stranger cannot forge, and what a believed proxy says. */
import { compilePolicy } from '@postern/policy';
import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, harness, jsonIn, type Harness } from '../testing/http-harness.ts';
import { nodeService, type Service } from '../testing/services.ts';

const echo = (): Promise<Service> =>
  nodeService((request, response) => response.end(JSON.stringify({ raw: request.rawHeaders, ...request.headers })));

async function edgeTo(service: Service, trusted: boolean, rules: object = {}): Promise<Harness & AsyncDisposable> {
  const policies = { p: compilePolicy(rules, { protocol: 'http', binding: 'public', kind: 'agent' }) };
  const edge = await harness({ agents: { s1: dial(service.port) }, trusted, policies, trustedProxies: ['10.0.0.0/8'] });
  const to = { policy: 'p', upstreams: [upstream('s1', 't1')] };
  edge.publish(endpoint('ep_1', 'http', 'app.test', to), endpoint('ep_2', 'https', 'secure.test', to));
  return edge;
}

const ask = (edge: Harness, fields: string, host = 'app.test'): Promise<string> =>
  edge.talk(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${fields}\r\n`);

const OF_PROXIES = [
  'Forwarded',
  'X-Real-IP',
  'True-Client-IP',
  'CF-Connecting-IP',
  'Client-IP',
  'X-Forwarded-Port',
  'X-Forwarded-Ssl',
  'X-Original-URL',
  'X-Rewrite-URL',
  'Front-End-Https',
];

describe('fields that say who the visitor is', () => {
  test('are dropped of strangers, look-alikes too', async () => {
    await using service = await echo();
    await using edge = await edgeTo(service, false);
    const alike = ['X_Forwarded_For', 'x_forwarded-proto', 'X-Forwarded_Host', 'X_Real_IP', 'ngrok_auth_user_email'];
    const names = [...OF_PROXIES, ...alike, 'ngrok-auth-user-id', 'ngrok-error-code'];
    const seen = jsonIn(await ask(edge, names.map((name) => `${name}: forged\r\n`).join('')));
    expect(JSON.stringify(seen)).not.toContain('forged');
    expect(seen).toMatchObject({
      'x-forwarded-for': '192.0.2.7',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'app.test',
    });
    // What only looks a little like them is the visitor's own.
    expect(jsonIn(await ask(edge, 'X-Forwarded-User: me\r\nX_Other: mine\r\n'))).toMatchObject({
      'x-forwarded-user': 'me',
      x_other: 'mine',
    });
  });

  test('pass from believed proxies, but for look-alikes', async () => {
    await using service = await echo();
    await using edge = await edgeTo(service, true);
    const seen = jsonIn(
      await ask(edge, `${OF_PROXIES.map((name) => `${name}: said\r\n`).join('')}X_Real_IP: forged\r\n`),
    );
    for (const name of OF_PROXIES) expect(seen).toMatchObject({ [name.toLowerCase()]: 'said' });
    expect(JSON.stringify(seen)).not.toContain('forged');
  });

  test.each([
    ['198.51.100.9', '198.51.100.9'],
    ['1.1.1.1, 198.51.100.9', '198.51.100.9'],
    ['1.1.1.1, 198.51.100.9, 10.1.2.3', '198.51.100.9'],
    ['1.1.1.1\r\nX-Forwarded-For: 198.51.100.9:4711', '198.51.100.9'],
    ['[2001:db8::9]:80', '2001:db8::9'],
    ['nonsense, 10.1.2.3', '10.1.2.3'],
    ['nonsense', '192.0.2.7'],
  ])('conn.client_ip of a believed "%s" is %s', async (forwarded, expected) => {
    await using service = await echo();
    const add = { type: 'add-headers', config: { headers: { 'x-client': '${conn.client_ip}' } } };
    for (const trusted of [true, false]) {
      await using edge = await edgeTo(service, trusted, { on_http_request: [{ actions: [add] }] });
      const seen = jsonIn(await ask(edge, `X-Forwarded-For: ${forwarded}\r\n`));
      expect(seen).toMatchObject({ 'x-client': trusted ? expected : '192.0.2.7' });
    }
  });

  test('a believed X-Forwarded-Proto decides the endpoint, a forged one nothing', async () => {
    await using service = await echo();
    for (const trusted of [true, false]) {
      await using edge = await edgeTo(service, trusted);
      const status = (text: string): string => text.slice(9, 12);
      const fields = 'X-Forwarded-For: 198.51.100.9, 10.1.2.3\r\nX-Forwarded-Proto: https, http\r\n';
      expect(status(await ask(edge, fields, 'secure.test')) === '200').toBe(trusted);
      expect(status(await ask(edge, 'X-Forwarded-Proto: gopher\r\n'))).toBe('200');
    }
  });

  test('connection rules judge each visitor of a believed proxy', async () => {
    await using service = await echo();
    const rules = {
      on_tcp_connect: [{ expressions: ["conn.client_ip == '198.51.100.9'"], actions: [{ type: 'deny' }] }],
    };
    await using edge = await edgeTo(service, true, rules);
    const good = 'GET / HTTP/1.1\r\nHost: app.test\r\nX-Forwarded-For: 198.51.100.1\r\n\r\n';
    const bad = 'GET / HTTP/1.1\r\nHost: app.test\r\nX-Forwarded-For: 198.51.100.9\r\n\r\n';
    expect((await edge.talk(good + bad)).match(/HTTP\/1\.1 200/g)).toHaveLength(1);
  });

  test('remove-headers takes look-alikes', async () => {
    await using service = await echo();
    const rules = { on_http_request: [{ actions: [{ type: 'remove-headers', config: { headers: ['x-user'] } }] }] };
    await using edge = await edgeTo(service, false, rules);
    const seen = jsonIn(await ask(edge, 'X-User: forged\r\nX_User: forged\r\nX-Use: mine\r\n'));
    expect(JSON.stringify(seen)).not.toContain('forged');
    expect(seen).toMatchObject({ 'x-use': 'mine' });
  });
});
