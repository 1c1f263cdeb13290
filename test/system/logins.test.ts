/** Visitors who log in at a real OpenID Connect provider, with browsers that keep cookies, over HTTP/1 and HTTP/2. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Browser, type Page } from '../support/visitor-browser.ts';
import { ADA, BOB, CLIENT, identityProvider, type IdentityProvider } from '../support/identity-provider.ts';
import { Platform } from '../support/platform.ts';

let platform: Platform;
let provider: IdentityProvider;
let names = 0;
const CALLBACK = 'https://idp.postern.localhost/oauth2/callback';

beforeAll(async () => {
  provider = await identityProvider({ callbackUrl: CALLBACK });
  platform = await Platform.start({ args: ['--policy-outgoing-allow=127.0.0.0/8'] });
});
afterAll(async () => {
  await platform?.dispose();
  await provider?.close();
});
beforeEach(() => {
  provider.who = ADA;
  provider.gone.clear();
  provider.fault = null;
});

const SHOWN =
  '${req.method} ${req.url.uri} ${actions.ngrok.oidc.identity.email} ${actions.ngrok.oidc.identity.name} ' +
  '${actions.ngrok.oidc.identity.provider_user_id} ${hasReqHeader("cookie")}';

function login(config: object = {}): object {
  const { id, secret } = CLIENT;
  const scopes = ['openid', 'email', 'profile'];
  return {
    type: 'openid-connect',
    config: { issuer_url: provider.issuer, client_id: id, client_secret: secret, scopes, ...config },
  };
}

async function cloud(config: object = {}, change: { readonly rules?: readonly object[]; readonly host?: string } = {}) {
  const url = `https://${change.host ?? `login${(names += 1)}`}.example.com`;
  const rules = change.rules ?? [{ actions: [login(config)] }];
  const show = { actions: [{ type: 'custom-response', config: { body: SHOWN } }] };
  const policy = JSON.stringify({ on_http_request: [...rules, show] });
  const made = await platform.api('POST', '/endpoints', { url, traffic_policy: policy });
  expect(made.status, made.text).toBe(201);
  return url;
}

describe.each([1, 2] as const)('HTTP/%i', (version) => {
  test('a visitor logs in, is known from then on, and comes to the page that was asked for', async () => {
    const url = await cloud();
    const browser = new Browser(platform, version);
    const page = await browser.go(`${url}/some/page?a=b&c=%20d`);
    expect(page.text).toBe(`GET /some/page?a=b&c=%20d Ada@example.com Ada Lovelace ada-1 false`);
    expect(page.url).toBe(`${url}/some/page?a=b&c=%20d`);
    const query = provider.authorizations.at(-1);
    expect(query?.get('code_challenge_method')).toBe('S256');
    expect(query?.get('redirect_uri')).toBe(CALLBACK);
    expect(query?.get('nonce')).toMatch(/^[\w-]{43}$/);
    const before = provider.asked.length;
    expect((await browser.go(`${url}/again`)).way).toEqual([`${url}/again`]);
    expect(provider.asked.length).toBe(before);
    // What is kept is for this host, over TLS, and for no script.
    const [kept, ...others] = browser.sent(url);
    expect(others).toEqual([]);
    expect(kept?.name).toBe('__Host-postern.session');
    expect(kept?.attributes).toMatch(/HttpOnly.*SameSite=Lax.*Secure/);
    // "ada-1" as a word: it may stand within random base64url.
    expect(JSON.stringify(browser.cookies)).not.toMatch(/ada@example|(?<![\w-])ada-1(?![\w-])|ada lovelace/i);
  });
});

/** Its status, and the number of the page. */
function code({ status, headers }: Pick<Page, 'status' | 'headers'>): string {
  const error = headers['ngrok-error-code'];
  return typeof error === 'string' ? `${status} ${error.replace('ERR_NGROK_', '')}` : String(status);
}

/** The browser, up to the address that leads back from the provider, which it has not gone to. */
async function onTheWayBack(browser: Browser, url: string): Promise<string> {
  const there = await browser.go(url, { redirects: 1 });
  let at = there;
  while (!new URL(String(at.headers.location), at.url).href.startsWith(CALLBACK)) {
    // oxlint-disable-next-line no-await-in-loop -- each redirect says where the next one goes
    at = await browser.go(new URL(String(at.headers.location), at.url).href, { redirects: 0 });
  }
  const callback = await browser.go(new URL(String(at.headers.location), at.url).href, { redirects: 0 });
  expect(callback.status).toBe(302);
  return String(callback.headers.location);
}

describe('who does not get in', () => {
  test('one whom the provider does not let in, told by us in words of ours', async () => {
    const browser = new Browser(platform);
    provider.who = null;
    const page = await browser.go(await cloud());
    expect(code(page)).toBe('403 3125');
    expect(browser.cookies.filter(({ name }) => name.endsWith('session'))).toEqual([]);
  });

  test('one into whose browser somebody leads his own log-in', async () => {
    const url = await cloud();
    const attacker = new Browser(platform);
    const hop = await onTheWayBack(attacker, url);
    const victim = new Browser(platform);
    expect(code(await victim.go(hop))).toBe('400 3121');
    // With a log-in of his own under way, too.
    await victim.go(url, { redirects: 0 });
    expect(code(await victim.go(hop))).toBe('400 3121');
    expect(victim.cookies.map(({ name }) => name)).toEqual(['__Host-postern.nonce']);
    expect((await attacker.go(hop)).text).toContain('Ada@example.com');
  });

  test('one who changes what he was given, or uses it again', async () => {
    const url = await cloud();
    const browser = new Browser(platform);
    const hop = await onTheWayBack(browser, `${url}/x`);
    const nonce = browser.sent(url).map((cookie) => ({ ...cookie }));
    const changed = hop.slice(0, -5) + (hop.at(-5) === 'A' ? 'B' : 'A') + hop.slice(-4);
    expect(code(await browser.go(changed))).toBe('400 3108');
    expect((await browser.go(hop)).status).toBe(200);
    // The same again leads to the page for who is in, and is refused by the provider for who is not.
    expect((await browser.go(hop)).url).toBe(`${url}/x`);
    const again = new Browser(platform);
    again.cookies.push(...nonce);
    expect(code(await again.go(hop))).toBe('400 3122');
    const [session] = browser.sent(url);
    for (const at of [3, 10, -3]) {
      const other = new Browser(platform);
      const value = session?.value ?? '';
      const letter = value.at(at) === 'A' ? 'B' : 'A';
      const middle = at < 0 ? value.length + at : at;
      if (session === undefined) throw new Error('there is no session');
      other.cookies.push({ ...session, value: value.slice(0, middle) + letter + value.slice(middle + 1) });
      const answer = await other.go(url, { redirects: 0 });
      expect(answer.headers.location).toContain(`${provider.issuer}/auth?`);
    }
  });

  test('one whose cookie is of another endpoint', async () => {
    const [one, other] = [await cloud(), await cloud()];
    const browser = new Browser(platform);
    expect((await browser.go(one)).status).toBe(200);
    const [session] = browser.sent(one);
    if (session === undefined) throw new Error('there is no session');
    browser.cookies.push({ ...session, domain: new URL(other).hostname });
    expect((await browser.go(other, { redirects: 0 })).status).toBe(302);
  });

  test('one who knows the address where providers send visitors back to', async () => {
    const browser = new Browser(platform);
    expect(code(await browser.go(CALLBACK))).toBe('400 3107');
    expect(code(await browser.go(`${CALLBACK}?code=x&state=https://evil.example.com/`))).toBe('400 3108');
    expect(code(await browser.go('https://idp.postern.localhost/'))).toBe('404 90065');
    const made = await platform.api('POST', '/endpoints', {
      url: 'https://idp.postern.localhost',
      traffic_policy: '{"on_http_request":[{"actions":[{"type":"deny"}]}]}',
    });
    expect(made.status).toBe(400);
    const wildcard = await platform.api('POST', '/endpoints', {
      url: 'https://*.postern.localhost',
      traffic_policy: '{"on_http_request":[{"actions":[{"type":"deny"}]}]}',
    });
    expect(wildcard.status, wildcard.text).toBe(201);
    expect(code(await browser.go(CALLBACK))).toBe('400 3107');
    await platform.api('DELETE', `/endpoints/${wildcard.body.id}`);
  });

  test('nobody, while the provider is down or is not who it should be', async () => {
    const browser = new Browser(platform);
    const url = await cloud({ auth_id: 'down' });
    const own = await identityProvider({ callbackUrl: CALLBACK });
    const down = await cloud({ issuer_url: own.issuer });
    own.fault = (_request, response) => response.writeHead(503).end() === response;
    expect(code(await browser.go(down))).toBe('502 3160');
    own.fault = null;
    const wrong = await cloud({ issuer_url: `${own.issuer}/other` });
    own.fault = (_request, response) => {
      response.end(JSON.stringify({ issuer: own.issuer, token_endpoint: 'https://x.test/' }));
      return true;
    };
    expect(code(await browser.go(wrong))).toBe('502 90064');
    await own.close();
    // Who is in stays in.
    expect((await browser.go(url)).status).toBe(200);
    provider.fault = (_request, response) => response.writeHead(503).end() === response;
    expect((await browser.go(url)).status).toBe(200);
  });
});

describe('paths of its own', () => {
  test('log out, and lead nowhere but to pages of the host', async () => {
    const url = await cloud();
    const browser = new Browser(platform);
    await browser.go(url);
    const copied = browser.sent(url).map((cookie) => ({ ...cookie }));
    const out = await browser.go(`${url}/ngrok/logout`);
    expect([out.status, out.text]).toEqual([200, 'You are logged out.\n']);
    expect(browser.sent(url)).toEqual([]);
    // A copy that was made before is over as well.
    const thief = new Browser(platform);
    thief.cookies.push(...copied);
    expect((await thief.go(url, { redirects: 0 })).status).toBe(302);
    for (const path of ['/bye?x=1', '%2Fbye%3Fx=1']) {
      const page = await browser.go(`${url}/ngrok/logout?redirect_path=${path}`, { redirects: 0 });
      expect([page.status, page.headers.location]).toEqual([302, `${url}/bye?x=1`]);
    }
    for (const path of [
      '//evil.test/',
      '/%5Cevil.test',
      'https://evil.test/',
      '%09//evil.test',
      '/%09/evil.test',
      '@evil.test',
    ]) {
      const page = await browser.go(`${url}/ngrok/logout?redirect_path=${path}`, { redirects: 0 });
      const host = page.headers.location === undefined ? '' : new URL(page.headers.location).host;
      expect(['', new URL(url).host]).toContain(host);
    }
  });

  test('log in again, as somebody else', async () => {
    const url = await cloud();
    const browser = new Browser(platform);
    await browser.go(url);
    provider.who = BOB;
    expect((await browser.go(`${url}/still`)).text).toContain('Ada@example.com');
    browser.forget('127.0.0.1');
    const page = await browser.go(`${url}/ngrok/login?redirect_path=/who`);
    expect(provider.authorizations.at(-1)?.get('prompt')).toBe('login');
    expect([page.url, page.text]).toEqual([`${url}/who`, 'GET /who bob@elsewhere.org Bob bob-2 false']);
  });

  test("are an action's by its auth_id, and each has sessions of its own", async () => {
    const rules = [
      {
        expressions: ["req.url.path.startsWith('/a') || req.url.path.startsWith('/ngrok/')"],
        actions: [login({ auth_id: 'a' })],
      },
      {
        expressions: ["req.url.path.startsWith('/b') || req.url.path.startsWith('/ngrok/')"],
        actions: [login({ auth_id: 'b c' })],
      },
    ];
    const url = await cloud({}, { rules });
    const browser = new Browser(platform);
    expect((await browser.go(`${url}/a`)).text).toContain('Ada@example.com');
    expect((await browser.go(`${url}/b`, { redirects: 0 })).status).toBe(302);
    expect((await browser.go(`${url}/b`)).text).toContain('Ada@example.com');
    expect((await browser.go(`${url}/ngrok/logout?auth_id=b+c`)).text).toBe('You are logged out.\n');
    expect((await browser.go(`${url}/a`, { redirects: 0 })).status).toBe(200);
    expect((await browser.go(`${url}/b`, { redirects: 0 })).status).toBe(302);
  });
});

describe('sessions', () => {
  test('outlive a restart of the server', async () => {
    const own = await Platform.start({ args: ['--policy-outgoing-allow=127.0.0.0/8'] });
    const first = platform;
    platform = own;
    try {
      const url = await cloud();
      const browser = new Browser(own);
      expect((await browser.go(url)).text).toContain('Ada@example.com');
      platform = await own.restart('SIGTERM', { args: ['--policy-outgoing-allow=127.0.0.0/8'] });
      browser.platform = platform;
      const asked = provider.asked.length;
      expect((await browser.go(url)).text).toContain('Ada@example.com');
      expect(provider.asked.length).toBe(asked);
    } finally {
      await platform.dispose();
      platform = first;
    }
  });

  test('are checked with the provider again, and end when it knows the visitor no more', async () => {
    const own = await identityProvider({ callbackUrl: CALLBACK });
    own.accessTokenSeconds = 1;
    const url = await cloud({ issuer_url: own.issuer, userinfo_refresh_interval: '1s' });
    const browser = new Browser(platform);
    await browser.go(url);
    const [before] = browser.sent(url).map(({ value }) => value);
    // However long the three visits below take, what is fetched for the first holds for the others.
    own.accessTokenSeconds = 600;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const asked = own.asked.length;
    const pages = await Promise.all([1, 2, 3].map((n) => browser.go(`${url}/${n}`, { redirects: 0 })));
    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200]);
    // The access token had expired: one refresh for all three, since a refresh token may hold once.
    expect(own.asked.slice(asked).filter((path) => path === '/token')).toHaveLength(1);
    expect(browser.sent(url)[0]?.value).not.toBe(before);
    own.gone.add(ADA.sub);
    own.who = null;
    browser.forget('127.0.0.1');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const out = await browser.go(url);
    expect(code(out), out.way.map((at) => at.slice(0, 60)).join(' ')).toBe('403 3125');
    await own.close();
  });

  test('are shared by the hosts of a domain where the policy says so, but not with other accounts', async () => {
    const domain = 'shared.example.com';
    const [one, other] = [
      await cloud({ auth_cookie_domain: domain }, { host: 'one.shared' }),
      await cloud({ auth_cookie_domain: domain }, { host: 'other.shared' }),
    ];
    const browser = new Browser(platform);
    expect((await browser.go(one)).status).toBe(200);
    expect(browser.sent(other).map(({ name }) => name)).toEqual(['__Secure-postern.session']);
    expect((await browser.go(other, { redirects: 0 })).text).toContain('Ada@example.com');
    const outside = await cloud({ auth_cookie_domain: 'another.example.com' });
    expect(code(await browser.go(outside))).toBe('500 3313');
    const base = await platform.api('POST', '/endpoints', {
      url: 'https://base.postern.localhost',
      traffic_policy: JSON.stringify({
        on_http_request: [
          { actions: [login({ auth_cookie_domain: 'postern.localhost' })] },
          { actions: [{ type: 'deny' }] },
        ],
      }),
    });
    expect(base.status, base.text).toBe(201);
    expect(code(await browser.go('https://base.postern.localhost/'))).toBe('500 3313');
  });

  test('let preflights of browsers through where the policy says so', async () => {
    const [open, closed] = [await cloud({ allow_cors_preflight: true }), await cloud()];
    const headers = { origin: 'https://page.test', 'access-control-request-method': 'GET' };
    const browser = new Browser(platform);
    expect((await browser.go(open, { method: 'OPTIONS', headers, redirects: 0 })).status).toBe(200);
    expect((await browser.go(closed, { method: 'OPTIONS', headers, redirects: 0 })).status).toBe(302);
    expect((await browser.go(open, { method: 'OPTIONS', headers: { origin: 'x' }, redirects: 0 })).status).toBe(302);
  });
});
