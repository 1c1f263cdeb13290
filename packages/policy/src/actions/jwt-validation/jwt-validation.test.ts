import { generateKeyPairSync } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOW } from '../../testing/context.ts';
import { bodyOf, show } from '../../testing/run.ts';
import { ALGORITHMS } from './schema.ts';
import {
  action,
  asked,
  BEARER,
  CLAIMS,
  confused,
  encoded,
  OK,
  PAIRS,
  present,
  published,
  says,
  short,
  signatureOf,
  tokenOf,
  URL_1,
  type Signing,
} from './testing.ts';
import { readToken } from './token.ts';

describe('a token', () => {
  const seconds = NOW / 1000;
  const altered = (claims: object, more: Signing = {}): string => tokenOf({ claims, ...more });

  it.each([
    ['without a signature', `${encoded({ alg: 'none' })}.${encoded(CLAIMS)}.`, '401 3416'],
    ['of alg none, with a signature', `${encoded({ alg: 'none' })}.${encoded(CLAIMS)}.AAAA`, '401 3416'],
    ['of alg NONE', `${encoded({ alg: 'NONE' })}.${encoded(CLAIMS)}.AAAA`, '401 3416'],
    ['without alg', `${encoded({ kid: 'ES256' })}.${encoded(CLAIMS)}.AAAA`, '401 3416'],
    ['with a list for its alg', `${encoded({ alg: ['ES256'], kid: 'ES256' })}.${encoded(CLAIMS)}.AAAA`, '401 3416'],
    ['signed by the text of a public key', confused(PAIRS.RS256, 'RS256'), '401 3416'],
    ['with crit', tokenOf({ header: { crit: ['exp'], exp: 1 } }), '401 3416'],
    ['with an empty crit', tokenOf({ header: { crit: [] } }), '401 3416'],
    ['with an unencoded payload', tokenOf({ header: { crit: ['b64'], b64: false } }), '401 3416'],
    ['of an unknown key', tokenOf({ header: { kid: 'another' } }), '401 3401'],
    ['whose kid is no text', tokenOf({ header: { kid: 1 } }), '401 3416'],
    [
      'of another key of the same name',
      tokenOf({ pair: generateKeyPairSync('ec', { namedCurve: 'P-256' }) }),
      '401 3401',
    ],
    ['that says where its key is', tokenOf({ header: { kid: 'x', jku: URL_1, jwk: {} } }), '401 3401'],
    ['that expires within the leeway', altered({ exp: seconds - 59 }), '204'],
    ['that has expired', altered({ exp: seconds - 60 }), '401 3401'],
    ['that holds within the leeway', altered({ nbf: seconds + 60 }), '204'],
    ['that does not hold yet', altered({ nbf: seconds + 61 }), '401 3401'],
    ['issued within the leeway', altered({ iat: seconds + 60 }), '204'],
    ['issued in the future', altered({ iat: seconds + 61 }), '401 3401'],
    ['whose end is a text', altered({ exp: String(seconds + 100) }), '401 3401'],
    ['whose end is null', altered({ exp: null }), '401 3401'],
    ['without an end', altered({ exp: undefined }), '204'],
    ['of another issuer', altered({ iss: 'https://evil.test/' }), '403 3403'],
    ['of an issuer without its slash', altered({ iss: 'https://issuer.test' }), '403 3403'],
    ['of a list of issuers', altered({ iss: [CLAIMS.iss] }), '403 3403'],
    ['of no issuer', altered({ iss: undefined }), '403 3403'],
    ['for another audience', altered({ aud: 'https://other.test' }), '403 3403'],
    ['for no audience', altered({ aud: undefined }), '403 3403'],
    ['for an empty list', altered({ aud: [] }), '403 3403'],
    ['for a part of the audience', altered({ aud: 'https://app' }), '403 3403'],
    ['for a list with the audience in it', altered({ aud: ['x', 'https://second.test'] }), '204'],
    ['whose payload is a list', tokenOf({ payload: encoded([]) }), '401 3416'],
    ['whose payload is no JSON', tokenOf({ payload: Buffer.from('{').toString('base64url') }), '401 3416'],
    [
      'whose payload is no UTF-8',
      tokenOf({ payload: Buffer.from('{"a":"\xff"}', 'latin1').toString('base64url') }),
      '401 3416',
    ],
    [
      'with too much in one another',
      tokenOf({ claims: { a: JSON.parse('['.repeat(40) + ']'.repeat(40)) } }),
      '401 3416',
    ],
    ['with two of its parts', tokenOf().split('.').slice(0, 2).join('.'), '401 3416'],
    ['with four parts', `${tokenOf()}.AAAA`, '401 3416'],
    ['that is encrypted', 'eyJhbGciOiJSU0EtT0FFUCJ9.AAAA.AAAA.AAAA.AAAA', '401 3416'],
    ['with padding', tokenOf().replace('.', '=.'), '401 3416'],
    ['with a blank in it', tokenOf().replace('.', ' .'), '401 3416'],
    ['in the other alphabet', `${tokenOf().slice(0, -4)}ab+/`, '401 3416'],
    ['that is nothing', '', '401 3416'],
    ['that is anything', 'garbage', '401 3416'],
  ])('%s', async (_what, token, answer) => {
    expect(await says(token)).toBe(answer);
  });

  it('with bits behind its last byte is refused', async () => {
    const token = tokenOf();
    // 64 bytes end in a character of which four bits count for nothing.
    const last = token.at(-1) ?? '';
    expect('AQgw').toContain(last);
    expect(
      await says(`${token.slice(0, -1)}${last === 'A' ? 'B' : String.fromCodePoint((last.codePointAt(0) ?? 0) + 1)}`),
    ).toBe('401 3416');
  });

  it('is not decoded when it is long', async () => {
    const fill = (length: number): string => tokenOf({ claims: { fill: 'x'.repeat(length) } });
    const room = 16_384 - fill(0).length;
    expect(await says(fill(Math.floor(room * 0.75) - 3))).toBe('204');
    expect(await says(fill(Math.ceil(room * 0.75) + 3))).toBe('401 3416');
    expect(asked).toEqual([]);
    const long = (length: number): unknown => readToken('.'.repeat(length), new Set(ALGORITHMS));
    expect([long(16_384), long(16_385)]).toEqual(['is none that is signed', 'has more than 16384 characters']);
  });

  it('with a member twice is what was read of it once', async () => {
    const twice = (first: string, second: string): string => {
      const head = Buffer.from(`{"alg":"${first}","kid":"ES256","alg":"${second}"}`).toString('base64url');
      const signed = `${head}.${encoded(CLAIMS)}`;
      return `${signed}.${signatureOf(signed, 'ES256', PAIRS.ES256).toString('base64url')}`;
    };
    expect(await says(twice('none', 'ES256'))).toBe('204');
    expect(await says(twice('ES256', 'none'))).toBe('401 3416');
  });

  it.each([
    ['at+jwt', 'AT+jwt', '204'],
    ['at+jwt', 'application/at+jwt', '204'],
    ['at+jwt', 'JWT', '401 3401'],
    ['at+jwt', undefined, '401 3401'],
    ['it+jwt', 'at+jwt', '401 3401'],
    ['access_token', 'JWT', '204'],
    ['plain', undefined, '204'],
  ])('that has to be %s and is %s', async (type, typ, answer) => {
    expect(await says(tokenOf({ header: { typ } }), { tokens: [{ ...BEARER, type }] })).toBe(answer);
  });

  it.each(['id_token', 'at+jwt', 'it+jwt'])('of type %s has to end', async (type) => {
    const token = tokenOf({ header: { typ: type }, claims: { exp: undefined } });
    expect(await says(token, { tokens: [{ ...BEARER, type }] })).toBe('401 3401');
  });

  it('is for anybody where no audience is named', async () => {
    expect(await says(tokenOf({ claims: { aud: undefined } }), { config: { audience: undefined } })).toBe('204');
  });

  it('without a name is tried with keys that fit, four at most', async () => {
    const token = tokenOf({ header: { kid: undefined } });
    const wrong = Array.from({ length: 4 }, () => published('x', generateKeyPairSync('ec', { namedCurve: 'P-256' })));
    const right = published('ES256', PAIRS.ES256);
    expect(await says(token)).toBe('204');
    expect(asked).toEqual([`${URL_1}  ep_1`]);
    expect(await says(token, { sets: { [URL_1]: [...wrong.slice(1), right] } })).toBe('204');
    expect(await says(token, { sets: { [URL_1]: [...wrong, right] } })).toBe('401 3401');
    expect(await says(tokenOf(), { sets: { [URL_1]: [{ ...right, kid: '' }] } })).toBe('401 3401');
  });

  it('takes its work from the budget of the request', async () => {
    const { context } = await present(tokenOf({ algorithm: 'ES512' }));
    expect(context.work.unitsLeft).toBeLessThan(900_000);
    const many = Array.from({ length: 5 }, () => ({ actions: [action({})] }));
    const { outcome } = await present(tokenOf({ algorithm: 'ES512' }), { rules: [...many, OK] });
    expect(short(outcome)).toBe('500 90034');
  });

  it('is refused whatever it is made of, and nothing is thrown', () => {
    const part = fc.oneof(
      fc.string(),
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
      fc
        .dictionary(fc.constantFrom('alg', 'kid', 'crit', 'typ'), fc.oneof(fc.jsonValue(), fc.constant('ES256')))
        .map(encoded),
      fc.base64String(),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const read = readToken(parts.join('.'), new Set(ALGORITHMS));
        if (typeof read !== 'string') expect(ALGORITHMS).toContain(read.algorithm);
      }),
      { numRuns: 500 },
    );
  });
});

describe('results', () => {
  const J = 'actions.ngrok.jwt_validation';

  it('are what a verified token says', async () => {
    const token = tokenOf({ claims: { sub: 'ada', roles: ['a', 'b'], n: 7 } });
    const body = `\${${J}.tokens[0].payload.sub} \${${J}.tokens[0].payload['roles'][1]} \${${J}.tokens[0].payload.n + 1} \${${J}.tokens[0].header.alg} \${${J}.tokens[0].location} \${${J}.tokens[0].location_property} \${${J}.tokens[0].verified} [\${${J}.error.code}] \${${J}.tokens[0].signature}`;
    const { outcome } = await present(token, { rules: [show(body)] });
    expect(bodyOf(outcome)).toBe(`ada b 8 ES256 header Authorization true [] ${token.split('.')[2]}`);
  });

  it('are the refusal, and nothing of what nobody has signed', async () => {
    const { context } = await present(
      tokenOf({ claims: { sub: 'whoever-they-say' }, pair: generateKeyPairSync('ec', { namedCurve: 'P-256' }) }),
      {
        rules: [show(`\${${J}.error.code}`)],
      },
    );
    const result = JSON.stringify(context.results?.get('jwt_validation'), (_key, value: unknown) =>
      typeof value === 'bigint' ? Number(value) : value,
    );
    expect(context.results?.has('jwt_validation')).toBe(true);
    expect(result).not.toContain('whoever-they-say');
  });
});
