/** `/app/users` and `/app/sessions`: who has logged in, and that what is deleted lets nobody in, over a restart too. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADA, BOB, CLIENT, identityProvider, type IdentityProvider } from '../support/identity-provider.ts';
import { Platform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { Browser } from '../support/visitor-browser.ts';

const ARGS = { args: ['--policy-outgoing-allow=127.0.0.0/8'] };
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';

let platform: Platform;
let provider: IdentityProvider;

beforeAll(async () => {
  provider = await identityProvider({ callbackUrl: 'https://idp.postern.localhost/oauth2/callback' });
  platform = await Platform.start(ARGS);
});
afterAll(async () => {
  await platform?.dispose();
  await provider?.close();
});

async function endpoint(name: string): Promise<string> {
  const { id: client_id, secret: client_secret } = CLIENT;
  const scopes = ['openid', 'email', 'profile'];
  const config = { issuer_url: provider.issuer, client_id, client_secret, scopes };
  const ids = '${actions.ngrok.oidc.identity.id} ${actions.ngrok.oidc.identity.current_session_id}';
  const policy = {
    on_http_request: [
      {
        actions: [
          { type: 'openid-connect', config },
          { type: 'custom-response', config: { body: ids } },
        ],
      },
    ],
  };
  const url = `https://${name}.example.com`;
  const made = await platform.api('POST', '/endpoints', { url, traffic_policy: JSON.stringify(policy) });
  expect(made.status, made.text).toBe(201);
  return url;
}

/** @returns ids of the user and of the session, once they are listed */
async function loggedIn(url: string, who: IdentityProvider['who'] = ADA) {
  provider.who = who;
  const browser = new Browser(platform);
  const page = await browser.go(url, { headers: { 'user-agent': FIREFOX } });
  const [user = '', session = ''] = page.text.split(' ');
  await until(async () => (await platform.api('GET', `/app/sessions/${session}`)).status === 200);
  return { browser, user, session };
}

/** Whether the browser is let in without the provider. */
async function isIn(browser: Browser, url: string): Promise<boolean> {
  browser.platform = platform;
  return (await browser.go(url, { redirects: 0 })).status === 200;
}

test('who has logged in is listed, with what his browser says', async () => {
  const url = await endpoint('listed');
  const { user, session } = await loggedIn(url);
  const one = await platform.api('GET', `/app/sessions/${session}`);
  expect(one.body).toMatchObject({
    id: session,
    uri: `${platform.runtime.api_url}/app/sessions/${session}`,
    public_url: url,
    application_user: { id: user, uri: `${platform.runtime.api_url}/app/users/${user}` },
    browser_session: { ip_address: '127.0.0.1', user_agent: { raw: FIREFOX, browser_name: 'Firefox' } },
    edge: null,
    route: null,
  });
  const list = await platform.api('GET', '/app/users');
  expect(list.body).toMatchObject({
    application_users: [{ id: user, provider_user_id: 'ada-1', email: 'Ada@example.com', name: 'Ada Lovelace' }],
  });
});

test('a session that is deleted is over at once, and after a restart; the others of the user go on', async () => {
  const url = await endpoint('deleted');
  const [first, second] = [await loggedIn(url), await loggedIn(url)];
  expect(first.user).toBe(second.user);
  expect(await isIn(first.browser, url)).toBe(true);
  expect((await platform.api('DELETE', `/app/sessions/${first.session}`)).status).toBe(204);
  expect(await isIn(first.browser, url)).toBe(false);
  expect(await isIn(second.browser, url)).toBe(true);
  expect((await platform.api('GET', `/app/sessions/${first.session}`)).status).toBe(404);
  // Its cookie is still there, for whoever has it.
  const thief = new Browser(platform);
  thief.cookies.push(...second.browser.cookies.map((cookie) => ({ ...cookie })));
  expect((await second.browser.go(`${url}/ngrok/logout`)).text).toBe('You are logged out.\n');
  await until(async () => (await platform.api('GET', `/app/sessions/${second.session}`)).status === 404);
  const third = await loggedIn(url);
  platform = await platform.restart('SIGTERM', ARGS);
  expect(await isIn(first.browser, url)).toBe(false);
  expect(await isIn(thief, url)).toBe(false);
  expect(await isIn(third.browser, url)).toBe(true);
});

test('with a user go all his sessions, everywhere; he may log in again', async () => {
  const [here, there] = [await endpoint('here'), await endpoint('there')];
  const [first, second] = [await loggedIn(here, BOB), await loggedIn(there, BOB)];
  const ada = await loggedIn(here, ADA);
  expect((await platform.api('DELETE', `/app/users/${first.user}`)).status).toBe(204);
  expect(await isIn(first.browser, here)).toBe(false);
  expect(await isIn(second.browser, there)).toBe(false);
  expect(await isIn(ada.browser, here)).toBe(true);
  expect((await platform.api('GET', `/app/sessions/${second.session}`)).status).toBe(404);
  const again = await loggedIn(here, BOB);
  expect(again.user).toBe(first.user);
  expect(await isIn(again.browser, here)).toBe(true);
  expect(await isIn(second.browser, there)).toBe(false);
});
