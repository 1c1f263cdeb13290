import { describe, expect, it } from 'vitest';
import type { Facts } from '../../testing/context.ts';
import { BEARER, present, says, tokenOf, type Given } from './testing.ts';

describe('where a token is', () => {
  const header = (...lines: (readonly [string, string])[]): Given => ({ facts: { headers: lines } });

  it('is one header, with its prefix', async () => {
    const token = tokenOf();
    const { outcome } = await present(null);
    expect(outcome).toMatchObject({ error: { number: 3408, status: 401 }, headers: [['www-authenticate', 'Bearer']] });
    expect(await says(null, header(['Authorization', `bearer   ${token}`]))).toBe('204');
    expect(await says(null, header(['Authorization', token]))).toBe('401 3413');
    expect(await says(null, header(['Authorization', `Basic ${token}`]))).toBe('401 3413');
    const twice = header(['authorization', `Bearer ${token}`], ['authorization', `Bearer ${token}`]);
    expect(await says(null, twice)).toBe('401 3416');
    const own = { tokens: [{ type: 'jwt', method: 'header', name: 'x-token' }], ...header(['X-Token', token]) };
    expect(await says(null, own)).toBe('204');
  });

  it('says that a token is not valid, and of a missing one only that it is needed', async () => {
    const { outcome } = await present(tokenOf({ claims: { exp: 1 } }));
    expect(outcome).toMatchObject({ headers: [['www-authenticate', 'Bearer error="invalid_token"']] });
    expect((await present(tokenOf({ claims: { aud: 'x' } }))).outcome).toMatchObject({ headers: [] });
  });

  const inBody = (type: string, body: string, more: Facts = {}): Given => ({
    tokens: [{ type: 'jwt', method: 'body', name: 'token' }],
    facts: { method: 'POST', body, headers: [['content-type', type]], ...more },
  });

  it.each([
    ['JSON', 'application/json; charset=utf-8', `{"a":1,"token":"${tokenOf()}"}`, '204'],
    ['a kind of JSON', 'application/vnd.api+json', `{"token":"${tokenOf()}"}`, '204'],
    ['a form', 'application/x-www-form-urlencoded', `a=b&token=${tokenOf()}`, '204'],
    ['JSON without it', 'application/json', '{"a":1}', '401 3406'],
    ['JSON with something else', 'application/json', '{"token":{}}', '401 3406'],
    ['what JSON objects inherit', 'application/json', '{"__proto__":{"token":"x"}}', '401 3406'],
    ['a JSON list', 'application/json', '["token"]', '401 3411'],
    ['broken JSON', 'application/json', '{', '401 3411'],
    ['a form with two', 'application/x-www-form-urlencoded', 'token=a&token=b', '401 3416'],
    ['a form with too much', 'application/x-www-form-urlencoded', 'a&'.repeat(1_001), '401 3412'],
    ['another type', 'text/plain', tokenOf(), '401 3414'],
    ['too much', 'application/json', `{"a":"${'x'.repeat(262_144)}"}`, '413 3902'],
  ])('may be a body: %s', async (_what, type, body, answer) => {
    expect(await says(null, inBody(type, body))).toBe(answer);
  });

  it('is no body of methods that have none', async () => {
    expect(await says(null, inBody('application/json', '{}', { method: 'GET' }))).toBe('401 3415');
    expect(await says(null, inBody('', '{}', { headers: [] }))).toBe('401 3414');
  });

  it('may be several places, and all of them have one', async () => {
    const tokens = [BEARER, { type: 'id_token', method: 'header', name: 'x-id' }];
    const one = [['authorization', `Bearer ${tokenOf()}`]] as const;
    expect(await says(null, { tokens, facts: { headers: one } })).toBe('401 3408');
    expect(await says(null, { tokens, facts: { headers: [...one, ['x-id', tokenOf({ algorithm: 'RS256' })]] } })).toBe(
      '204',
    );
    expect(await says(null, { tokens, facts: { headers: [...one, ['x-id', `${tokenOf()}A`]] } })).toMatch(/^401 /);
  });
});
