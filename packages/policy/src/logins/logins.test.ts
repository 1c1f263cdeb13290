import { createHmac } from 'node:crypto';
import { isPosternError } from '@postern/errors';
import { describe, expect, it } from 'vitest';
import { confused, encoded, PAIRS } from '../actions/jwt-validation/testing.ts';
import { NOW } from '../testing/context.ts';
import { good, ISSUER, PERSON, says, World } from './testing.ts';

const MINUTE = 60_000;
const IN = 'known ada@test|Ada|false|2026-11-24T13:00:00Z';

describe('a log-in', () => {
  it('ends at the page that was asked for, with a session that the next request has', async () => {
    const world = new World();
    expect(says(await world.login('/a?b=c'))).toBe('302 https://app.example.com/a');
    expect([...world.cookies.keys()]).toEqual(['__Host-postern.session']);
    expect(says(await world.visit())).toBe(`200 ${IN}`);
    expect(world.last?.req?.headers.get('ngrok-auth-user-email')).toBe('ada@test');
    // OpenID Connect's tokens are for rules, and the service is told no more than who it is.
    expect(world.last?.req?.headers.lines.map(([name]) => name)).toEqual([
      'ngrok-auth-user-id',
      'ngrok-auth-user-email',
      'ngrok-auth-user-name',
    ]);
  });

  it('asks for what the policy says, and for nothing that a policy cannot say', async () => {
    const world = new World({ scopes: ['email', 'offline_access'], authz_url_params: { hd: 'test', prompt: 'none' } });
    const asked = await world.leave();
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: 'code',
      client_id: 'app',
      redirect_uri: 'https://idp.test/oauth2/callback',
      scope: 'openid email offline_access',
      hd: 'test',
      prompt: 'none',
      code_challenge_method: 'S256',
    });
    expect((await world.leave('/ngrok/login')).get('prompt')).toBe('login consent');
  });

  it('may be begun in several tabs of a browser, and be finished in each', async () => {
    const world = new World();
    const [one, two] = [await world.leave('/one'), await world.leave('/two')];
    expect(one.get('code_challenge')).not.toBe(two.get('code_challenge'));
    expect(one.get('nonce')).not.toBe(two.get('nonce'));
    world.answers = good(two.get('nonce') ?? '');
    const back = [one, two].map((asked) => world.back({ code: 'c', state: asked.get('state') ?? '' }));
    expect(says(await world.visit(String(back[1])))).toBe('302 https://app.example.com/two');
    // The other one has a session by now.
    expect(says(await world.visit(String(back[0])))).toBe('302 https://app.example.com/one');
  });

  it('has to be over in a quarter of an hour', async () => {
    const world = new World();
    const asked = await world.leave();
    world.answers = good(asked.get('nonce') ?? '');
    const answer = { code: 'c', state: asked.get('state') ?? '' };
    world.now += 15 * MINUTE - 1;
    const back = world.back(answer);
    world.now += 1;
    const late = world.back(answer);
    expect(isPosternError(late) && late.number).toBe(3119);
    expect(says(await world.visit(String(back)))).toBe('400 3119');
    expect(world.asked).toEqual([]);
  });

  it('is of the browser, the host and the endpoint that it began in', async () => {
    const world = new World();
    const asked = await world.leave('/x');
    world.answers = good(asked.get('nonce') ?? '');
    const back = String(world.back({ code: 'c', state: asked.get('state') ?? '' }));
    const cookies = world.cookies;
    world.cookies = new Map();
    expect(says(await world.visit(back))).toBe('400 3121');
    world.cookies = cookies;
    expect(says(await world.visit(back, { authority: 'other.example.com' }))).toBe('400 3124');
    expect(says(await world.visit(back, { scheme: 'http' }))).toBe('400 3124');
    // Of another action's log-in it knows nothing, and begins one of its own.
    const other = new World({ client_id: 'other' });
    other.cookies = new Map(cookies);
    expect(says(await other.visit(back))).toBe(`302 ${ISSUER}/auth`);
    expect(world.asked).toEqual([]);
    expect(says(await world.visit(back))).toBe('302 https://app.example.com/x');
  });

  it.each([
    ['access_denied', '403 3125'],
    ['login_required', '403 3125'],
    ['invalid_scope', '500 3126'],
    ['unauthorized_client', '500 3127'],
    ['temporarily_unavailable', '502 3160'],
    ['<script>', '502 90064'],
  ])('that the provider ends with %s is %s', async (error, expected) => {
    const world = new World();
    const asked = await world.leave();
    const outcome = await world.visit(String(world.back({ error, state: asked.get('state') ?? '' })));
    expect(says(outcome)).toBe(expected);
    expect(JSON.stringify(outcome)).not.toContain('<script>');
  });

  it.each([
    [{ error: 'invalid_grant' }, '400 3122'],
    [{ error: 'bad_verification_code' }, '400 3122'],
    [{ error: 'invalid_client' }, '500 3127'],
    [{ error: 'invalid_request' }, '502 90064'],
    [{ access_token: '' }, '502 90064'],
    [{ access_token: 'x'.repeat(20_000) }, '502 90064'],
    [{ access_token: 'x', token_type: 'mac' }, '502 90064'],
    [{ access_token: 'x' }, '502 90064'],
    [400, '502 90064'],
    [429, '503 3161'],
    [500, '502 3160'],
  ])('whose code the provider answers with %j is %s', async (answer, expected) => {
    const world = new World();
    world.answers = { [`${ISSUER}/token`]: answer };
    expect(says(await world.login())).toBe(expected);
    expect([...world.cookies.keys()]).toEqual(['__Host-postern.nonce']);
  });

  it('tells nobody but the provider what is secret', async () => {
    const world = new World({ client_secret: 'very:secret&' });
    await world.login();
    const [token] = world.asked;
    expect(token?.headers['authorization']).toBe(`Basic ${Buffer.from('app:very%3Asecret%26').toString('base64')}`);
    expect(new URLSearchParams(token?.form ?? '').get('code_verifier')).toMatch(/^[\w-]{43}$/);
    world.document = { ...world.document, token_endpoint_auth_methods_supported: ['client_secret_post'] };
    world.cookies.clear();
    world.answers = {};
    await world.login();
    const form = new URLSearchParams(world.asked.at(-2)?.form ?? '');
    expect([form.get('client_id'), form.get('client_secret')]).toEqual(['app', 'very:secret&']);
  });
});

describe('a provider', () => {
  it.each([
    ['of another issuer', { claims: { iss: 'https://evil.test' } }],
    ['for another app', { claims: { aud: 'other' } }],
    ['for several apps, and not for this one first', { claims: { aud: ['app', 'other'], azp: 'other' } }],
    ['for several apps, without a word which', { claims: { aud: ['app', 'other'] } }],
    ['of another log-in', { claims: { nonce: 'other' } }],
    ['that is over', { claims: { exp: NOW / 1000 - 61 } }],
    ['of nobody', { claims: { sub: '' } }],
    ['signed by another key', { pair: PAIRS.ES384, algorithm: 'ES256' as const }],
  ])('is not believed with an identity token %s', async (_what, signing) => {
    const world = new World();
    const asked = await world.leave();
    world.answers = good(asked.get('nonce') ?? '', signing);
    const back = String(world.back({ code: 'c', state: asked.get('state') ?? '' }));
    expect(says(await world.visit(back))).toBe('502 90064');
    expect([...world.cookies.keys()]).toEqual(['__Host-postern.nonce']);
    expect(world.warnings.join()).toMatch(/on_http_request\[0\]\.actions\[0\]\.config: .*identity/);
  });

  it.each([
    ['none at all', ''],
    ['one that nobody has signed', `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`],
    ['one that is signed with the public key', confused(PAIRS.RS256, 'RS256')],
  ])('is not believed with %s', async (_what, token) => {
    const world = new World();
    const asked = await world.leave();
    world.answers = good(asked.get('nonce') ?? '', {}, { id_token: token });
    const back = String(world.back({ code: 'c', state: asked.get('state') ?? '' }));
    expect(says(await world.visit(back))).toBe('502 90064');
  });

  /** A token as an app's secret signs it. */
  const byHmac = (nonce: string, secret: string): string => {
    const claims = { iss: ISSUER, aud: 'app', sub: PERSON.sub, nonce, iat: NOW / 1000, exp: NOW / 1000 + 300 };
    const signed = `${encoded({ alg: 'HS256' })}.${encoded(claims)}`;
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
  };
  const SECRET = 'a secret of thirty-two characters';

  it.each([
    ['the secret of the app', SECRET, SECRET, '302 https://app.example.com/'],
    ['another secret', SECRET, `${SECRET}!`, '502 90064'],
    ['one that is too short', 'secret', 'secret', '502 90064'],
    ['none, where the app has none', '', '', '502 90064'],
  ])('is believed with an identity token signed by %s (HS256) as that is worth', async (_what, own, used, wanted) => {
    const world = new World({ client_secret: own });
    const asked = await world.leave();
    const nonce = asked.get('nonce') ?? '';
    world.answers = good(nonce, {}, { id_token: byHmac(nonce, used) });
    expect(says(await world.visit(String(world.back({ code: 'c', state: asked.get('state') ?? '' }))))).toBe(wanted);
  });

  it('is not believed about somebody else, nor under another name (RFC 9207)', async () => {
    const other = new World();
    other.answers = { [`${ISSUER}/me`]: { ...PERSON, sub: 'eve' } };
    expect(says(await other.login())).toBe('502 90064');
    expect(says(await new World().login('/', { iss: 'https://evil.test' }))).toBe('502 90064');
    expect(says(await new World().login('/', { iss: ISSUER }))).toBe('302 https://app.example.com/');
    const named = new World();
    named.document = { ...named.document, authorization_response_iss_parameter_supported: true };
    expect(says(await named.login())).toBe('502 90064');
  });

  it.each([
    [{ issuer: 'https://evil.test' }, '502 90064'],
    [{ issuer: `${ISSUER}/` }, `302 ${ISSUER}/auth`],
    [{ authorization_endpoint: 'javascript:alert(1)' }, '502 90064'],
    [{ token_endpoint: '' }, '502 90064'],
    [{ jwks_uri: 7 }, '502 90064'],
  ])('that publishes %j of itself: %s', async (change, expected) => {
    const world = new World();
    world.document = { ...world.document, ...change };
    expect(says(await world.visit())).toBe(expected);
  });

  it('that cannot be asked is 502, or 503 where too many ask, and the log says why', async () => {
    const world = new World();
    world.problem = { problem: 'it answered 500' };
    expect(says(await world.visit())).toBe('502 3160');
    expect(world.warnings).toEqual([
      'on_http_request[0].actions[0].config: the identity provider could not be asked: it answered 500',
    ]);
    world.problem = { problem: 'full', busy: true };
    expect(says(await world.visit())).toBe('503 3161');
  });

  it('that says itself that an address is not verified has not said it', async () => {
    const world = new World();
    const asked = await world.leave();
    const answers = good(asked.get('nonce') ?? '', { claims: { email: 'boss@test', email_verified: false } });
    world.answers = { ...answers, [`${ISSUER}/me`]: { ...PERSON, email_verified: false } };
    await world.visit(String(world.back({ code: 'c', state: asked.get('state') ?? '' })));
    expect(says(await world.visit())).toBe('200 known |Ada|false|2026-11-24T13:00:00Z');
  });

  it('without userinfo says it all in the identity token', async () => {
    const world = new World();
    world.document = { ...world.document, userinfo_endpoint: undefined };
    const asked = await world.leave();
    world.answers = good(asked.get('nonce') ?? '', { claims: { email: 'ada@test', name: 'Ada' } });
    await world.visit(String(world.back({ code: 'c', state: asked.get('state') ?? '' })));
    expect(says(await world.visit())).toBe(`200 ${IN}`);
  });
});
