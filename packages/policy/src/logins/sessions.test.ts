import { describe, expect, it } from 'vitest';
import { refusal, rule } from '../testing/run.ts';
import { APP, good, ISSUER, locationOf, PERSON, says, World } from './testing.ts';

const MINUTE = 60_000;
const IN = 'known ada@test|Ada|false|2026-11-24T13:00:00Z';

describe('a session', () => {
  const times = '${actions.ngrok.oidc.session_timed_out} ${actions.ngrok.oidc.session_max_duration_reached}';

  it('ends after its longest time, whatever happens in it, and after a day where nothing is said', async () => {
    for (const [config, ms] of [
      [{ max_session_duration: '1h' }, 60 * MINUTE],
      [{}, 24 * 60 * MINUTE],
    ] as const) {
      const world = new World(config);
      // oxlint-disable-next-line no-await-in-loop
      await world.login();
      world.now += ms - 1;
      // oxlint-disable-next-line no-await-in-loop
      expect(says(await world.visit())).toBe(`200 ${IN}`);
      world.now += 1;
      // oxlint-disable-next-line no-await-in-loop
      expect(says(await world.visit())).toBe(`302 ${ISSUER}/auth`);
    }
  });

  it('ends when nobody uses it, and goes on as long as somebody does', async () => {
    const world = new World({ idle_session_timeout: '10m' });
    await world.login();
    for (let n = 0; n < 5; n++) {
      world.now += 9 * MINUTE;
      // oxlint-disable-next-line no-await-in-loop
      expect(says(await world.visit())).toBe(`200 ${IN}`);
    }
    // What was seen a moment ago is not written again.
    world.now += 59_000;
    await world.visit();
    expect(world.last?.req?.answerHeaders).toEqual([]);
    world.now += 10 * MINUTE;
    expect(says(await world.visit())).toBe(`302 ${ISSUER}/auth`);
  });

  it('tells rules behind an answer why it has ended', async () => {
    const world = new World({ idle_session_duration: '1m' });
    await world.login();
    world.now += MINUTE;
    world.body = times;
    await world.visit();
    const results = world.last?.results?.get('oidc') as { get(key: string): unknown };
    expect([results.get('session_timed_out'), results.get('session_max_duration_reached')]).toEqual([true, false]);
  });

  it('is told of when it begins, is used and ends; with the person it is over, too', async () => {
    const world = new World();
    await world.login();
    await world.visit();
    const [began] = world.told;
    if (began?.kind !== 'began') throw new Error('no beginning was told');
    const { accountId, sessionId, user } = began;
    expect(began).toMatchObject({ at: world.now, until: world.now + 24 * 60 * MINUTE, user: { email: 'ada@test' } });
    for (const id of [sessionId, user.id]) expect(id).toMatch(/^a[su]_[0-9A-Za-z]{27}$/);
    expect(world.told.at(-1)).toEqual({ kind: 'seen', accountId, sessionId, userId: user.id, at: world.now });
    const copy = new Map(world.cookies);
    await world.visit('/ngrok/logout');
    expect(world.told.at(-1)).toEqual({ kind: 'ended', accountId, sessionId, until: began.until });
    world.ended.clear();
    world.cookies = copy;
    expect(says(await world.visit())).toBe(`200 ${IN}`);
    world.ended.add(user.id);
    expect(says(await world.visit())).toBe(`302 ${ISSUER}/auth`);
  });

  it('is of another app, auth_id or account when those change, and of nobody else', async () => {
    const world = new World();
    await world.login();
    const { config } = world;
    for (const change of [{ client_id: 'other' }, { auth_id: 'other' }]) {
      world.config = { ...config, ...change };
      // oxlint-disable-next-line no-await-in-loop
      expect(says(await world.visit())).toBe(`302 ${ISSUER}/auth`);
    }
    world.config = { ...config, client_secret: 'rotated' };
    expect(says(await world.visit())).toBe(`200 ${IN}`);
  });

  it('with long tokens takes several cookies; tokens that are too long are not kept', async () => {
    const world = new World();
    const asked = await world.leave();
    world.answers = good(asked.get('nonce') ?? '', {}, { access_token: 'a'.repeat(5_000) });
    await world.visit(String(world.back({ code: 'c', state: asked.get('state') ?? '' })));
    expect([...world.cookies.keys()]).toEqual([
      '__Host-postern.session',
      '__Host-postern.session.1',
      '__Host-postern.session.2',
    ]);
    for (const value of world.cookies.values()) expect(value.length).toBeLessThanOrEqual(3_500);
    expect(says(await world.visit())).toBe(`200 ${IN}`);
    await world.visit('/ngrok/logout');
    expect(world.cookies.size).toBe(0);
    const again = await world.leave();
    world.answers = good(again.get('nonce') ?? '', {}, { access_token: 'a'.repeat(16_000) });
    await world.visit(String(world.back({ code: 'c', state: again.get('state') ?? '' })));
    expect(world.warnings).toEqual([expect.stringContaining('too long to be kept')]);
    world.body = 'known ${actions.ngrok.oidc.identity.email} ${actions.ngrok.oidc.access_token}';
    expect(says(await world.visit())).toBe('200 known ada@test ');
  });

  it('over plain HTTP has a cookie that plain HTTP can carry', async () => {
    const world = new World();
    await world.visit('/', { scheme: 'http' });
    expect([...world.cookies.keys()]).toEqual(['postern.nonce']);
  });
});

describe('asking again who it is', () => {
  const HOURLY = { userinfo_refresh_interval: '1h' };
  const me = `${ISSUER}/me`;

  it('finds what has changed, with a token that holds', async () => {
    const world = new World(HOURLY);
    await world.login();
    world.now += 30 * MINUTE;
    const before = world.asked.length;
    expect(says(await world.visit())).toBe(`200 ${IN}`);
    expect(world.asked.length).toBe(before);
    world.now += 30 * MINUTE;
    world.answers = {
      [`${ISSUER}/token`]: { access_token: 'access-2', expires_in: 60 },
      [me]: ({ headers }) => (headers['authorization'] === 'Bearer access-2' ? { ...PERSON, name: 'Countess' } : 401),
    };
    expect(says(await world.visit())).toBe('200 known ada@test|Countess|true|2026-11-24T13:01:00Z');
    const form = new URLSearchParams(world.asked.at(-2)?.form ?? '');
    expect([form.get('grant_type'), form.get('refresh_token')]).toEqual(['refresh_token', 'refresh-1']);
    expect(says(await world.visit())).toBe('200 known ada@test|Countess|false|2026-11-24T13:01:00Z');
  });

  it.each([
    ['knows the visitor no more', { [me]: 401, [`${ISSUER}/token`]: { error: 'invalid_grant' } }],
    ['says that it is another', { [me]: { ...PERSON, sub: 'eve' }, [`${ISSUER}/token`]: { access_token: 'a' } }],
  ])('ends the session when the provider %s', async (_what, answers) => {
    const world = new World(HOURLY);
    await world.login();
    world.now += 60 * MINUTE;
    world.answers = answers;
    const copy = new Map(world.cookies);
    expect(says(await world.visit())).toBe(`302 ${ISSUER}/auth`);
    expect(world.cookies.has('__Host-postern.session')).toBe(false);
    world.cookies = copy;
    world.answers = {};
    const asked = world.asked.length;
    expect(says(await world.visit())).toBe(`302 ${ISSUER}/auth`);
    expect(world.asked.length).toBe(asked);
  });

  it('lets a session hold for another interval while nobody answers, and asks every half a minute', async () => {
    const world = new World(HOURLY);
    await world.login();
    world.answers = {};
    world.now += 60 * MINUTE;
    expect(says(await world.visit())).toBe(`200 ${IN}`);
    const asked = world.asked.length;
    world.now += 29_000;
    expect(says(await world.visit())).toBe(`200 ${IN}`);
    expect(world.asked.length).toBe(asked);
    world.now += 1_000;
    await world.visit();
    expect(world.asked.length).toBeGreaterThan(asked);
    world.now += 60 * MINUTE;
    expect(says(await world.visit())).toBe('502 3160');
  });

  it('comes at once when the policy asks for other things', async () => {
    const world = new World();
    await world.login();
    world.answers = { [me]: { ...PERSON, name: 'Countess' } };
    world.config = { ...world.config, scopes: ['openid', 'profile'] };
    expect(says(await world.visit())).toContain('Countess|true');
    expect(says(await world.visit())).toContain('Countess|false');
  });
});

describe('its config', () => {
  const R = 'on_http_request';
  const oidc = (config: object): object => ({
    type: 'openid-connect',
    config: { issuer_url: ISSUER, ...APP, ...config },
  });

  it.each([
    [oidc({ issuer_url: 'nonsense' }), '2226 on_http_request[0].actions[0].config.issuer_url'],
    [oidc({ issuer_url: 'ftp://x' }), '2226 '],
    [oidc({ issuer_url: 'https://a:b@x.test' }), '2226 '],
    [oidc({ client_id: undefined }), '2234 '],
    [oidc({ authz_url_params: { state: 'x' } }), '2204 on_http_request[0].actions[0].config.authz_url_params'],
    [oidc({ authz_url_params: { Redirect_URI: 'x' } }), '2204 '],
    [oidc({ auth_cookie_domain: 'x y' }), '2243 '],
    [oidc({ auth_cookie_domain: 'com' }), '2243 '],
    [oidc({ max_session_duration: '10y' }), '2204 '],
    [oidc({ max_session_duration: '9000h' }), '2225 '],
    [oidc({ idle_session_timeout: '1m', idle_session_duration: '2m' }), '2204 '],
    [oidc({ provider: 'google' }), '2203 '],
    [oidc({}), 'accepted'],
    [oidc({ auth_cookie_domain: '.Example.com', idle_session_timeout: 3_600_000_000_000 }), 'accepted'],
    [{ type: 'oauth', config: { provider: 'nobody' } }, '2222 '],
    [{ type: 'oauth', config: { provider: 'google', client_id: 'x' } }, '2240 '],
    [{ type: 'oauth', config: { provider: 'google', scopes: ['x'] } }, '2240 '],
    [{ type: 'oauth', config: { provider: 'google' } }, 'accepted'],
    [{ ...oidc({}), type: 'oidc' }, 'accepted'],
  ])('%j: %s', (action, expected) => {
    const said = refusal(rule(R, action));
    expect(said.slice(0, expected.length)).toBe(expected);
  });

  it('has each auth_id once', () => {
    expect(refusal(rule(R, oidc({}), oidc({})))).toMatch(/^2239 on_http_request\[0\]\.actions\[1\]/);
    expect(refusal(rule(R, oidc({}), oidc({ auth_id: 'b' })))).toBe('accepted');
  });

  it('may fill in the app, and lets nobody in without it', async () => {
    const world = new World({ client_id: "${req.headers['x-app'][0]}" });
    expect(locationOf(await world.visit('/', { headers: [['x-app', 'filled']] }))).toContain('client_id=filled');
    expect(says(await world.visit())).toBe('500 2238');
  });

  it('is for hosts under its cookie domain, and for domains of one account', async () => {
    expect(says(await new World({ auth_cookie_domain: 'example.com' }).visit())).toBe(`302 ${ISSUER}/auth`);
    expect(says(await new World({ auth_cookie_domain: 'other.com' }).visit())).toBe('500 3313');
    expect(says(await new World({ auth_cookie_domain: 'base.test' }).visit('/', { authority: 'x.base.test' }))).toBe(
      '500 3313',
    );
  });
});
