/** Visitors who log in at an identity provider of SAML 2.0, over HTTP/1 and HTTP/2, at endpoints of agents and in the cloud. */
import type ngrok from '@ngrok/ngrok';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  answerOf,
  formOf,
  metadata,
  newKey,
  requestIn,
  signedXml,
  assertionOf,
  responseOf,
} from '../../packages/policy/src/actions/saml/testing.ts';
import { Platform } from '../support/platform.ts';
import { sessionBuilder } from '../support/sdk.ts';
import { httpUpstream } from '../support/upstream.ts';
import { Browser, type Page } from '../support/visitor-browser.ts';

const KEY = newKey();
let platform: Platform;
let session: ngrok.Session;
let upstream: Awaited<ReturnType<typeof httpUpstream>>;
let names = 0;

beforeAll(async () => {
  platform = await Platform.start();
  session = await sessionBuilder(platform).connect();
  upstream = await httpUpstream((request, response) => {
    const { 'ngrok-auth-user-email': email = 'nobody', cookie = 'no cookie' } = request.headers;
    response.end(`${request.url} ${String(email)} ${cookie}`);
  });
});
afterAll(async () => {
  await platform?.dispose();
  await session?.close().catch(() => undefined);
  await upstream?.close();
});

const rules = (): object[] => [{ actions: [{ type: 'saml', config: { idp_metadata: metadata(KEY) } }] }];
const SHOWN = '${req.url.path} ${actions.ngrok.saml.identity.email} ${hasReqHeader("cookie") ? "a" : "no"} cookie';

async function endpoint(kind: 'agent' | 'cloud'): Promise<string> {
  const host = `saml${(names += 1)}.example.com`;
  if (kind === 'agent') {
    const policy = JSON.stringify({ on_http_request: rules() });
    await session.httpEndpoint().domain(host).trafficPolicy(policy).listenAndForward(upstream.url);
    return `https://${host}`;
  }
  const show = { actions: [{ type: 'custom-response', config: { body: SHOWN } }] };
  const policy = JSON.stringify({ on_http_request: [...rules(), show] });
  const made = await platform.api('POST', '/endpoints', { url: `https://${host}`, traffic_policy: policy });
  expect(made.status, made.text).toBe(201);
  return `https://${host}`;
}

const said = (url: string, inResponseTo: string, id: string) => ({
  now: Date.now(),
  audience: `${url}/ngrok/saml/metadata`,
  recipient: `${url}/ngrok/saml/acs`,
  inResponseTo,
  id,
});

/** Away to the provider, which is nobody's address here. */
async function asked(browser: Browser, page: string): Promise<string> {
  const away = await browser.go(page, { redirects: 0 });
  return requestIn(String(away.headers.location)).at('ID');
}

const post = (browser: Browser, url: string, response: string): Promise<Page> =>
  browser.go(`${url}/ngrok/saml/acs`, { form: formOf(response) });

describe.each([1, 2] as const)('HTTP/%i', (version) => {
  test.each(['agent', 'cloud'] as const)('%s: logs in, is known, and nobody else is', async (kind) => {
    const url = await endpoint(kind);
    const browser = new Browser(platform, version);
    const id = await asked(browser, `${url}/some/page`);
    const answer = answerOf(said(url, id, '_one'), KEY);
    const page = await post(browser, url, answer);
    expect(page.url).toBe(`${url}/some/page`);
    expect(page.text).toBe('/some/page ada@example.com no cookie');
    expect((await browser.go(`${url}/again`)).text).toBe('/again ada@example.com no cookie');
    const [kept] = browser.sent(url);
    expect(kept?.name).toBe('__Host-postern.session');
    expect(kept?.attributes).toMatch(/HttpOnly.*SameSite=Lax.*Secure/);
    // The same response again, and in the browser of another.
    expect((await post(browser, url, answer)).headers['ngrok-error-code']).toBe('ERR_NGROK_3122');
    const other = new Browser(platform, version);
    const stolen = answerOf(said(url, await asked(browser, `${url}/ngrok/login`), '_two'), KEY);
    expect((await post(other, url, stolen)).headers['ngrok-error-code']).toBe('ERR_NGROK_3121');
    // One that somebody else has signed, and one that was wrapped around the right one.
    const forged = answerOf(said(url, await asked(other, url), '_three'), newKey());
    expect((await post(other, url, forged)).headers['ngrok-error-code']).toBe('ERR_NGROK_90085');
    const right = said(url, await asked(other, url), '_four');
    const wrapped = responseOf(
      right,
      assertionOf({ ...right, id: '_evil', nameId: 'root' }) + signedXml(assertionOf(right), 'Assertion', KEY),
    );
    expect((await post(other, url, wrapped)).headers['ngrok-error-code']).toBe('ERR_NGROK_90085');
    expect((await other.go(url, { redirects: 0 })).status).toBe(302);
    expect((await browser.go(`${url}/ngrok/logout`)).text).toContain('logged out');
    expect((await browser.go(url, { redirects: 0 })).status).toBe(302);
  });
});
