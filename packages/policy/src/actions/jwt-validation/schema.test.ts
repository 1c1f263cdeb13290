import { describe, expect, it } from 'vitest';
import { refusal, rule } from '../../testing/run.ts';
import { action, BEARER, R, URL_1, type Given } from './testing.ts';

describe('a config', () => {
  const refused = (given: Given): string => refusal(rule(R, action(given)));

  it.each<[string, Given, RegExp]>([
    ['as samples have it', { config: { http: { tokens: BEARER } } }, /^accepted$/],
    [
      'with lists where samples have objects',
      {
        config: {
          jws: {
            allowed_algorithms: ['RS256'],
            keys: [{ identification: [{ token_claims: ['kid'] }], sources: [{ additional_jkus: [URL_1] }] }],
          },
        },
      },
      /^accepted$/,
    ],
    ['without an algorithm', { algorithms: [] }, /^2223 /],
    ['with none', { algorithms: ['none'] }, /^2222 .*RS256/],
    ['with a shared secret', { algorithms: ['HS256'] }, /^2222 /],
    ['without issuers', { config: { issuer: undefined } }, /^2234 /],
    ['with an empty list of issuers', { config: { issuer: { allow_list: [] } } }, /^2223 /],
    ['with an empty issuer', { config: { issuer: { allow_list: [{ value: '' }] } } }, /^2223 /],
    ['without keys', { urls: [] }, /^2223 /],
    ['with what is no address', { urls: ['jwks'] }, /^2226 .*additional_jkus\[0\]/],
    ['with a file', { urls: ['file:///etc/keys'] }, /^2226 .*https/],
    ['with a user name', { urls: ['https://a:b@c.test/'] }, /^2226 /],
    ['with another place', { tokens: [{ ...BEARER, method: 'cookie' }] }, /^2222 .*header, body/],
    ['with another type', { tokens: [{ ...BEARER, type: 'saml' }] }, /^2222 /],
    ['with what is no header', { tokens: [{ ...BEARER, name: 'a b' }] }, /^2210 /],
    ['that does not enforce', { config: { enforce: false } }, /^2203 .*enforce/],
    [
      'with another name of keys',
      {
        config: {
          jws: {
            allowed_algorithms: ['RS256'],
            keys: { identification: { token_claims: ['x5t'] }, sources: { additional_jkus: [URL_1] } },
          },
        },
      },
      /^2222 .*kid/,
    ],
  ])('%s', (_what, given, answer) => {
    expect(refused(given)).toMatch(answer);
  });
});
