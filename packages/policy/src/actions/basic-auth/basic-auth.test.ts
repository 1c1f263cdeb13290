import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../runtime.ts';
import type { Bcrypt } from '../../services.ts';
import type { Facts } from '../../testing/context.ts';
import { bodyOf, refusal, rule, run, show } from '../../testing/run.ts';

const R = 'on_http_request';
const auth = (config: object): object => ({ actions: [{ type: 'basic-auth', config }] });
const as = (user: string, password: string): Facts => ({
  headers: [['Authorization', `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`]],
});
const passes = async (config: object, facts: Facts): Promise<boolean> =>
  (await run(R, [auth(config)], facts)).outcome.kind === 'continue';

describe('basic-auth', () => {
  const config = { credentials: ['user:password1', 'admin:pass:word2'] };

  it('lets in whoever knows a password', async () => {
    expect(await passes(config, as('user', 'password1'))).toBe(true);
    expect(await passes(config, as('admin', 'pass:word2'))).toBe(true);
    expect(await passes(config, as('user', 'pass:word2'))).toBe(false);
    expect(await passes(config, as('user', 'password'))).toBe(false);
    expect(await passes(config, as('', ''))).toBe(false);
  });

  it('asks the others', async () => {
    const { outcome } = await run(R, [auth({ ...config, realm: 'a "b"' })]);
    expect(outcome).toMatchObject({
      kind: 'respond',
      status: 401,
      headers: expect.arrayContaining([['www-authenticate', 'Basic realm="a \\"b\\"", charset="UTF-8"']]),
    });
  });

  it.each(['Basic', 'Basic !!!', 'Bearer abc', 'Basic bm9jb2xvbg==', `Basic ${'A'.repeat(5000)}`])(
    'takes %s for nothing presented',
    async (header) => {
      expect(await passes(config, { headers: [['authorization', header]] })).toBe(false);
    },
  );

  it('can only look', async () => {
    const text = ['presented', 'username', 'authorized']
      .map((name) => `\${actions.ngrok.basic_auth.credentials.${name}}`)
      .join(' ');
    const rules = [auth({ ...config, enforce: false }), show(text)];
    expect(bodyOf((await run(R, rules)).outcome)).toBe('false  false');
    expect(bodyOf((await run(R, rules, as('user', 'nonsense'))).outcome)).toBe('true user false');
    expect(bodyOf((await run(R, rules, as('user', 'password1'))).outcome)).toBe('true user true');
  });

  it('fills in credentials, and one that is missing lets nobody in', async () => {
    const dynamic = { credentials: ['user:${getReqHeader("x-secret")[0]}'] };
    const { headers = [] } = as('user', 'a secret');
    expect(await passes(dynamic, { headers: [...headers, ['x-secret', 'a secret']] })).toBe(true);
    expect(await passes(dynamic, as('user', 'a secret'))).toBe(false);
    expect(await passes(dynamic, as('user', ''))).toBe(false);
    expect(await passes({ credentials: ['user:${vars.none}'] }, as('user', ''))).toBe(false);
  });

  const HASH = `$2a$10$${'h'.repeat(53)}`;
  const hashed = { credentials: [`user:{bcrypt}${HASH}`, 'other:password2'] };

  it('has hashes of old agents compared, for the endpoint and the network that ask', async () => {
    const asked: unknown[] = [];
    const bcrypt: Bcrypt = {
      matches: (password, hash, asker) => {
        asked.push([password, hash, asker]);
        return Promise.resolve(hash === HASH && password === 'password1');
      },
    };
    const lets = (user: string, password: string): Promise<boolean> =>
      passes(hashed, { ...as(user, password), services: { bcrypt }, clientIp: '2001:db8::1' });
    expect(await lets('user', 'password1')).toBe(true);
    expect(asked).toEqual([['password1', HASH, { endpoint: 'ep_1', address: expect.stringMatching(/\/64$/) }]]);
    expect(await lets('user', 'password2')).toBe(false);
    // A user that does not exist costs a comparison as well.
    expect([await lets('someone', 'password1'), asked.length]).toEqual([false, 3]);
    expect([await lets('other', 'password2'), asked.length]).toEqual([true, 3]);
  });

  it('goes on at once with what is known, and tells nobody that a password is wrong when it could not be asked', async () => {
    const verdict = async (matches: true | Promise<null>): Promise<Outcome> =>
      (await run(R, [auth(hashed)], { ...as('user', 'password1'), services: { bcrypt: { matches: () => matches } } }))
        .outcome;
    expect(await verdict(true)).toMatchObject({ kind: 'continue' });
    expect(await verdict(Promise.resolve(null))).toMatchObject({ kind: 'error', error: { number: 90036 } });
  });

  it('says what is wrong with its config', () => {
    const problem = (credential: string, more = {}): string =>
      refusal(rule(R, { type: 'basic-auth', config: { credentials: [credential], ...more } }));
    expect(problem('nocolon')).toMatch(/^2204 .*config\.credentials\[0\]: .*user:password/);
    expect(problem(':password')).toMatch(/^2257 /);
    expect(problem('user:short')).toMatch(/^2258 .*5 characters/);
    expect(problem(`user:${'x'.repeat(129)}`)).toMatch(/^2258 /);
    expect(problem('user:{bcrypt}nonsense')).toMatch(/^2204 .*bcrypt/);
    expect(problem(`user:{bcrypt}$2b$31$${'a'.repeat(53)}`)).toMatch(/^2204 /);
    expect(problem('user:password', { realm: 'x'.repeat(129) })).toMatch(/^2221 .*config\.realm: 129/);
    expect(problem('user:password', { realm: 'ä' })).toMatch(/^2204 .*config\.realm: /);
    expect(refusal(rule(R, { type: 'basic-auth', config: { credentials: [] } }))).toMatch(/^2223 /);
    expect(refusal(rule(R, { type: 'basic-auth' }))).toMatch(/^2234 .*"credentials"/);
  });
});
