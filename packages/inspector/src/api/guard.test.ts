import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Inspector } from '../index.ts';
import { ask, FakeAgent, inspect } from '../testing/fake-agent.ts';

let agent: FakeAgent;
let inspector: Inspector;
beforeEach(async () => {
  agent = new FakeAgent();
  inspector = await inspect(agent);
});
afterEach(async () => inspector.close());

const call = (
  ...what: Parameters<typeof ask> extends [Inspector, ...infer Rest] ? Rest : never
): ReturnType<typeof ask> => ask(inspector, ...what);

describe('who may not ask', () => {
  test.each([
    ['a name that was pointed here', { host: 'evil.test' }],
    ['a page of another site', { origin: 'https://evil.test' }],
    ['a page of another port of this machine', { origin: 'http://localhost:3000' }],
    ['an image of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    ['a script of another port', { 'sec-fetch-site': 'same-site' }],
    ['a sandboxed page', { origin: 'null' }],
  ])('%s', async (_, headers) => {
    for (const path of ['/api/tunnels', '/api/requests/http', '/api/inspect/news']) {
      const { status, body } = await call('GET', path, { headers });
      expect([status, body.msg]).toEqual([403, 'forbidden']);
    }
    expect((await call('DELETE', '/api/tunnels/command_line%20(http)', { headers })).status).toBe(403);
    expect(agent.tunnels.length).toBe(1);
  });

  test('a form: bodies are JSON and say so', async () => {
    const form = { body: '{"name":"x"}', headers: { 'content-type': 'text/plain' } };
    expect((await call('POST', '/api/tunnels', form)).status).toBe(415);
    expect((await call('POST', '/api/tunnels', { body: '[1]' })).status).toBe(400);
    expect((await call('POST', '/api/tunnels', { body: '{' })).status).toBe(400);
  });

  test('names of this machine, and pages of ours, may; links lead to pages only', async () => {
    for (const host of ['localhost:1', 'x.localhost', '127.0.0.1', '[::1]:4040'])
      expect((await call('GET', '/api/tunnels', { headers: { host } })).status).toBe(200);
    const own = { origin: `http://${inspector.addr}`, 'sec-fetch-site': 'same-origin' };
    expect((await call('GET', '/api/tunnels', { headers: own })).status).toBe(200);
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    expect((await call('GET', '/api/tunnels', { headers: link })).status).toBe(403);
    expect((await call('GET', '/status', { headers: link })).status).toBe(503);
  });

  test('web_allow_hosts names others, and those only', async () => {
    const other = await inspect(agent, { allowHosts: ['box.test', '.inner.test', '10.0.0.0/8'] });
    const first = inspector;
    inspector = other;
    const allowed = async (host: string): Promise<boolean> =>
      (await call('GET', '/api/tunnels', { headers: { host } })).status === 200;
    const answers = await Promise.all(
      ['box.test:9', 'a.inner.test', '10.1.2.3', 'localhost', 'xbox.test', '11.0.0.1'].map(allowed),
    );
    inspector = first;
    await other.close();
    expect(answers).toEqual([true, true, true, false, false, false]);
    const bad = inspect(agent, { webAddr: false, allowHosts: ['a b'] });
    await expect(bad).rejects.toThrow('web_allow_hosts: "a b"');
  });
});
