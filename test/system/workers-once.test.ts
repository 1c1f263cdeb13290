/**
 * What holds once for two workers, from outside: visitors whose connections are at both of them ask for the same thing in
 * the same moment.
 */
import http, { type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answerOf, formOf, metadata, newKey, requestIn } from '../../packages/policy/src/actions/saml/testing.ts';
import { CLIENT, identityProvider, type IdentityProvider } from '../support/identity-provider.ts';
import { agentOf } from '../support/agent.ts';
import { metric } from '../support/metrics.ts';
import { Platform } from '../support/platform.ts';
import { RawAgent } from '../support/raw-agent.ts';
import { until } from '../support/until.ts';
import { httpUpstream } from '../support/upstream.ts';
import { Browser } from '../support/visitor-browser.ts';

/** Of each worker's connections. */
const ENOUGH = 3;
const ROUNDS = 5;
/** Of one endpoint's policy, under way at once. */
const CALLS = 32;

let platform: Platform;
/** Each has one connection; some are at either worker. */
const visitors: http.Agent[] = [];
let names = 0;

beforeAll(async () => {
  platform = await Platform.start({ args: ['--workers=2', '--policy-outgoing-allow=127.0.0.0/8'] });
  const at = (worker: string): Promise<number> =>
    metric(platform, `postern_worker_visitor_connections{worker="${worker}"}`);
  // Whichever worker is free takes who comes.
  while (!((await at('w1')) >= ENOUGH && (await at('w2')) >= ENOUGH)) {
    const more = Array.from({ length: 8 }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }));
    visitors.push(...more);
    // oxlint-disable-next-line no-await-in-loop
    await Promise.all(more.map((agent) => platform.visit('http://nobody.example.com/', { agent })));
  }
});
afterAll(async () => {
  for (const agent of visitors) agent.destroy();
  await platform?.dispose();
});

/** A cloud endpoint that shows `body` to whom `action` lets through. */
async function endpoint(action: object, body: string): Promise<string> {
  const url = `http://once${(names += 1)}.example.com`;
  const rules = [{ actions: [action] }, { actions: [{ type: 'custom-response', config: { body } }] }];
  const policy = JSON.stringify({ on_http_request: rules });
  const made = await platform.api('POST', '/endpoints', { url, traffic_policy: policy });
  expect(made.status, made.text).toBe(201);
  return url;
}

test('an answer of a SAML provider is spent once, however many post it at once', async () => {
  const key = newKey();
  const url = await endpoint({ type: 'saml', config: { idp_metadata: metadata(key) } }, 'in');
  const consumer = `${url}/ngrok/saml/acs`;
  for (let n = 0; n < ROUNDS; n++) {
    // oxlint-disable no-await-in-loop
    const away = await new Browser(platform).go(url, { redirects: 0 });
    const inResponseTo = requestIn(String(away.headers.location)).at('ID');
    const said = { now: Date.now(), audience: `${url}/ngrok/saml/metadata`, recipient: consumer, inResponseTo };
    const body = formOf(answerOf({ ...said, id: `_${n}` }, key));
    const headers = { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded' };
    const answers = await Promise.all(
      visitors.map((agent) => platform.visit(consumer, { agent, method: 'POST', headers, body })),
    );
    // oxlint-enable no-await-in-loop
    const outcomes = answers.map(
      ({ status, headers: { 'ngrok-error-code': code = '' } }) => `${status} ${String(code)}`,
    );
    expect(outcomes.toSorted()).toEqual(['303 ', ...visitors.slice(1).map(() => '400 ERR_NGROK_3122')]);
  }
});

describe('a log-in', () => {
  const CALLBACK = 'https://idp.postern.localhost/oauth2/callback';
  let provider: IdentityProvider;
  beforeAll(async () => {
    provider = await identityProvider({ callbackUrl: CALLBACK });
  });
  afterAll(() => provider?.close());

  const loginAt = ({ issuer }: IdentityProvider, config: object = {}): object => ({
    type: 'openid-connect',
    config: { issuer_url: issuer, client_id: CLIENT.id, client_secret: CLIENT.secret, ...config },
  });

  /** @returns the address, and what a browser that has logged in there sends */
  async function loggedIn(config: object = {}): Promise<{ url: string; cookie: string }> {
    const url = await endpoint(loginAt(provider, config), 'in');
    const browser = new Browser(platform);
    expect((await browser.go(url)).text).toBe('in');
    const cookie = browser.sent(url).map(({ name, value }) => `${name}=${value}`);
    return { url, cookie: cookie.join('; ') };
  }

  const visitAll = async (url: string, cookie: string): Promise<readonly number[]> => {
    const headers = { accept: 'text/html', cookie };
    return (await Promise.all(visitors.map((agent) => platform.visit(url, { agent, headers })))).map(
      ({ status }) => status,
    );
  };

  test('is refreshed once at its provider, as a refresh token may hold once', async () => {
    provider.accessTokenSeconds = 1;
    const { url, cookie } = await loggedIn({ userinfo_refresh_interval: '1s' });
    provider.accessTokenSeconds = 600;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const before = provider.asked.length;
    expect(await visitAll(url, cookie)).toEqual(visitors.map(() => 200));
    // Nor by what another worker is asked within the minute, by a page that has the cookie of before.
    expect(await visitAll(url, cookie)).toEqual(visitors.map(() => 200));
    expect(provider.asked.slice(before).filter((path) => path === '/token')).toHaveLength(1);
  });

  test('is over at both workers when the visitor is told that he is logged out', async () => {
    for (let n = 0; n < ROUNDS; n++) {
      // oxlint-disable no-await-in-loop
      const { url, cookie } = await loggedIn();
      expect(await visitAll(url, cookie)).toEqual(visitors.map(() => 200));
      const agent = visitors[n] ?? false;
      const out = await platform.visit(`${url}/ngrok/logout`, { agent, headers: { accept: 'text/html', cookie } });
      expect(out.text).toBe('You are logged out.\n');
      // A copy of the cookie that was made before.
      expect(await visitAll(url, cookie)).toEqual(visitors.map(() => 302));
      // oxlint-enable no-await-in-loop
    }
  });

  test('of many at once is checked with keys that were fetched once', async () => {
    const own = await identityProvider({ callbackUrl: CALLBACK });
    const url = await endpoint(loginAt(own), 'in');
    // As many as visitors of one network may make an endpoint ask for at once.
    const pages = await Promise.all(Array.from({ length: 6 }, () => new Browser(platform).go(url)));
    expect(new Set(pages.map(({ text }) => text))).toEqual(new Set(['in']));
    expect(own.asked.filter((path) => path === '/jwks')).toHaveLength(1);
    await own.close();
  });
});

test('refused log-ins of agents are counted once: who fails here waits there', async () => {
  const start = performance.now();
  for (let n = 0; n < 26; n++) {
    // oxlint-disable no-await-in-loop
    const agent = await RawAgent.connect(platform);
    expect(await agent.auth({ authtoken: 'wrong' })).toContain('ERR_NGROK_105');
    agent.close();
    // oxlint-enable no-await-in-loop
  }
  // Twenty are free; then a quarter of a second more each time.
  expect(performance.now() - start).toBeGreaterThan((1 + 2 + 3 + 4 + 5) * 250);
});

test('calls of policies have so many turns for one endpoint, wherever its visitors are', async () => {
  const waiting: ServerResponse[] = [];
  const upstream = await httpUpstream((_request, response) => void waiting.push(response));
  const agent = agentOf(platform);
  await agent.listen({ url: 'http://called.internal', upstream: upstream.url });
  // A call that is given up leaves its turn to another: none is before all of this is over.
  const call = { url: 'http://called.internal/', timeout: '30s' };
  const url = await endpoint({ type: 'http-request', config: call }, 'called');
  const more = Array.from({ length: 60 }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }));
  visitors.push(...more);
  const answers = Promise.all(more.map((one) => platform.visit(url, { agent: one })));
  await until(() => waiting.length >= CALLS);
  // What more there were would have come with them.
  for (let done = 0; done < more.length; done++) {
    // oxlint-disable-next-line no-await-in-loop
    await until(() => waiting.length >= Math.min(done + CALLS, more.length));
    expect(waiting.length).toBeLessThanOrEqual(done + CALLS);
    waiting[done]?.end('here');
  }
  expect(new Set((await answers).map(({ text }) => text))).toEqual(new Set(['called']));
  await agent.close();
  await upstream.close();
});
