/** Endpoints of agents whose visitors log in: by a policy, and by the options that agents have for it. */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type ngrok from '@ngrok/ngrok';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Browser, type Page } from '../support/visitor-browser.ts';
import {
  ADA,
  BOB,
  CLIENT,
  identityProvider,
  type IdentityProvider,
  POST_CLIENT,
} from '../support/identity-provider.ts';
import { Platform } from '../support/platform.ts';
import { sessionBuilder } from '../support/sdk.ts';
import { httpUpstream } from '../support/upstream.ts';

let folder: string;
let platform: Platform;
let provider: IdentityProvider;
let session: ngrok.Session;
let upstream: Awaited<ReturnType<typeof httpUpstream>>;
let names = 0;
const host = (): string => `agent-login${(names += 1)}.example.com`;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'postern-apps-'));
  provider = await identityProvider({ callbackUrl: 'https://idp.postern.localhost/oauth2/callback' });
  const { issuer } = provider;
  const apps = path.join(folder, 'apps.yaml');
  const places = `issuer: ${issuer}, authorize_url: ${issuer}/auth, token_url: ${issuer}/token, userinfo_url: ${issuer}/me`;
  writeFileSync(
    apps,
    `gitlab: {client_id: ${POST_CLIENT.id}, client_secret: ${POST_CLIENT.secret}, ${places}}\ngoogle: {${places}}\n`,
  );
  platform = await Platform.start({ args: ['--policy-outgoing-allow=127.0.0.0/8', `--oauth-apps=${apps}`] });
  upstream = await httpUpstream((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ url: request.url, headers: request.headers }));
  });
  session = await sessionBuilder(platform).connect();
});
afterAll(async () => {
  await platform?.dispose();
  await session?.close().catch(() => undefined);
  await Promise.all([upstream?.close(), provider?.close()]);
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  provider.who = ADA;
});

/** Its status, and the number of the page. */
function code({ status, headers }: Pick<Page, 'status' | 'headers'>): string {
  const error = headers['ngrok-error-code'];
  return typeof error === 'string' ? `${status} ${error.replace('ERR_NGROK_', '')}` : String(status);
}

interface Seen {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}
const seen = (text: string): Seen => JSON.parse(text) as Seen;

describe.each([1, 2] as const)('over HTTP/%i', (version) => {
  test('by a policy: the service knows who it is, and gets no cookie of ours', async () => {
    const domain = host();
    const config = {
      provider: 'gitlab',
      client_id: POST_CLIENT.id,
      client_secret: POST_CLIENT.secret,
      scopes: ['openid', 'email', 'profile'],
    };
    const policy = JSON.stringify({ on_http_request: [{ actions: [{ type: 'oauth', config }] }] });
    await session.httpEndpoint().domain(domain).trafficPolicy(policy).listenAndForward(upstream.url);
    const browser = new Browser(platform, version);
    const forged = { 'ngrok-auth-user-email': 'somebody-else@example.com', Ngrok_Auth_User_Name: 'somebody-else' };
    const own = { name: 'theirs', value: 'x=y', domain, hostOnly: true, path: '/', secure: false, attributes: '' };
    browser.cookies.push(own);
    const page = await browser.go(`https://${domain}/path?a=b`, { headers: forged });
    expect(page.status, page.text).toBe(200);
    const { url, headers } = seen(page.text);
    expect(url).toBe('/path?a=b');
    expect(headers['cookie']).toBe('theirs=x=y');
    expect(headers).toMatchObject({
      'ngrok-auth-user-email': 'Ada@example.com',
      'ngrok-auth-user-name': 'Ada Lovelace',
      'ngrok-auth-user-id': expect.stringMatching(/^au_\w{20,}$/) as string,
      'ngrok-auth-oauth-access-token': expect.stringMatching(/.{20,}/) as string,
      'ngrok-auth-oauth-refresh-token': expect.stringMatching(/.{20,}/) as string,
    });
    expect(JSON.stringify(headers)).not.toContain('somebody-else');
    expect(JSON.stringify(headers)).not.toContain('postern.');
    // Nothing that providers or we have sealed is in the log.
    for (const secret of [headers['ngrok-auth-oauth-access-token'] ?? 'none', POST_CLIENT.secret]) {
      expect(platform.output).not.toContain(secret);
    }
  });
});

describe('by options of the SDK', () => {
  test('OAuth with an app of the server, for some people', async () => {
    const domain = host();
    const endpoint = session.httpEndpoint().domain(domain);
    await endpoint.oauth('gitlab', ['ada@EXAMPLE.com', 'x@y.z'], ['other.org']).listenAndForward(upstream.url);
    const browser = new Browser(platform);
    const page = await browser.go(`https://${domain}/in`);
    expect(page.status, page.text).toBe(200);
    const { headers } = seen(page.text);
    expect(headers['ngrok-auth-user-email']).toBe('Ada@example.com');
    // The app is not the agent's: neither are tokens of it.
    expect(headers['ngrok-auth-oauth-access-token']).toBeUndefined();
    provider.who = BOB;
    expect((await new Browser(platform).go(`https://${domain}/in`)).status).toBe(403);
  });

  test('OAuth by domains, in a rule that stands behind the log-in', async () => {
    const domain = host();
    await session.httpEndpoint().domain(domain).oauth('gitlab', [], ['@Elsewhere.org']).listenAndForward(upstream.url);
    expect((await new Browser(platform).go(`https://${domain}/`)).status).toBe(403);
    provider.who = BOB;
    expect((await new Browser(platform).go(`https://${domain}/`)).status).toBe(200);
    // Whoever has not logged in is asked to, and not denied.
    expect((await new Browser(platform).go(`https://${domain}/`, { redirects: 0 })).status).toBe(302);
  });

  test('OpenID Connect', async () => {
    const domain = host();
    await session
      .httpEndpoint()
      .domain(domain)
      .oidc(provider.issuer, CLIENT.id, CLIENT.secret, ['ada@example.com'], [], ['email', 'profile'])
      .listenAndForward(upstream.url);
    const page = await new Browser(platform).go(`https://${domain}/`);
    expect(page.status, page.text).toBe(200);
    expect(seen(page.text).headers['ngrok-auth-user-email']).toBe('Ada@example.com');
    provider.who = BOB;
    expect((await new Browser(platform).go(`https://${domain}/`)).status).toBe(403);
  });

  test('a provider at which this server has no app is refused with what would help', async () => {
    for (const name of ['github', 'google']) {
      const refused = session.httpEndpoint().domain(host()).oauth(name).listen();
      // oxlint-disable-next-line no-await-in-loop -- one session, one after the other
      await expect(refused).rejects.toThrow(/OAuth.*--oauth-apps/s);
    }
    await expect(session.httpEndpoint().domain(host()).oauth('nobody').listen()).rejects.toThrow(/provider/);
    await expect(session.httpEndpoint().domain(host()).oidc('not a url', 'a', 'b').listen()).rejects.toThrow(
      /issuer_url/,
    );
    const made = await platform.api('POST', '/endpoints', {
      url: `https://${host()}`,
      traffic_policy:
        '{"on_http_request":[{"actions":[{"type":"oauth","config":{"provider":"twitch"}},{"type":"deny"}]}]}',
    });
    expect([made.status, made.text]).toEqual([400, expect.stringContaining('actions[0].config.provider')]);
    expect(code({ status: made.status, headers: {} })).toBe('400');
  });
});
