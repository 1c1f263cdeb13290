import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { NOW } from '../../testing/context.ts';
import { CLAIMS, PAIRS, published, says, tokenOf, URL_1, type Given } from './testing.ts';
import { VerifiedTokens } from './verified.ts';

const key = published('ES256', PAIRS.ES256);
const given: Given = { sets: { [URL_1]: [key] } };

describe('a token that was verified', () => {
  it('is not verified again: nobody waits for the threads that look at such signatures', async () => {
    const token = tokenOf({ algorithm: 'ES512', claims: { jti: 'again' } });
    const sets: Given = { sets: { [URL_1]: [published('ES512', PAIRS.ES512)] } };
    expect(await says(token, sets)).toBe('204');
    const turn = new Promise<string>((resolve) => void setImmediate(() => resolve('a turn later')));
    expect(await Promise.race([says(token, sets), turn])).toBe('204');
  });

  it('is refused when its key is not published any more, or another one under its name', async () => {
    const token = tokenOf({ claims: { jti: 'rotated' } });
    expect(await says(token, given)).toBe('204');
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(await says(token, { sets: { [URL_1]: [published('ES256', other)] } })).toBe('401 3401');
    expect(await says(token, { sets: { [URL_1]: [] } })).toBe('401 3401');
    expect(await says(token, given)).toBe('204');
  });

  it('is refused when it has expired, and by endpoints of other issuers, audiences and algorithms', async () => {
    const token = tokenOf({ claims: { jti: 'expires', exp: NOW / 1000 - 59 } });
    expect(await says(token, given)).toBe('204');
    const late = tokenOf({ claims: { jti: 'expires', exp: NOW / 1000 - 60 } });
    expect(await says(late, given)).toBe('401 3401');
    const config = { issuer: { allow_list: [{ value: 'https://else.test/' }] } };
    expect(await says(token, { ...given, config })).toBe('403 3403');
    expect(await says(token, { ...given, algorithms: ['RS256'] })).toBe('401 3416');
  });

  it('says nothing of another one with the same parts or the same signature', async () => {
    const token = tokenOf({ claims: { jti: 'mine' } });
    expect(await says(token, given)).toBe('204');
    const [head = '', , signature = ''] = token.split('.');
    const payload = Buffer.from(JSON.stringify({ ...CLAIMS, jti: 'other' })).toString('base64url');
    expect(await says(`${head}.${payload}.${signature}`, given)).toBe('401 3401');
    // The same bytes, cut at another place.
    const moved = token.replace(/\.([^.])([^.]*)$/, '$1.$2');
    expect(await says(moved, given)).not.toBe('204');
  });
});

it('verified tokens are kept in a bounded number, the oldest go', () => {
  const verified = new VerifiedTokens();
  const { publicKey } = PAIRS.ES256;
  for (let at = 0; at < 9_000; at++) verified.keep(`token ${at}`, publicKey);
  expect(verified.signerOf('token 0')).toBeNull();
  expect(verified.signerOf(`token ${9_000 - 8_193}`)).toBeNull();
  expect(verified.signerOf(`token ${9_000 - 8_192}`)).toBe(publicKey);
  expect(verified.signerOf('token 8999')).toBe(publicKey);
});
