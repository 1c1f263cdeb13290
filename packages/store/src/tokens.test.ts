import { describe, expect, test } from 'vitest';
import { randomBase62 } from './base62.ts';
import { createIdSource, suffixOf } from './ids.ts';
import { createToken, hashToken, splitToken, tokenMatches } from './tokens.ts';

describe('tokens', () => {
  const id = createIdSource().next('ak');

  test('name their resource and match only their own hash', () => {
    const { token, tokenHash } = createToken(id);
    const parts = splitToken(token);
    expect(parts?.idSuffix).toBe(suffixOf(id));
    expect(token).toMatch(/^[0-9A-Za-z]{27}_[0-9A-Za-z]{21}$/);
    expect(tokenHash).toMatch(/^[0-9a-f]{64}$/);
    expect(tokenHash).toBe(hashToken(parts?.secret ?? ''));
    expect(tokenMatches(parts?.secret ?? '', tokenHash)).toBe(true);
    expect(tokenMatches('x'.repeat(21), tokenHash)).toBe(false);
    expect(tokenMatches(parts?.secret ?? '', '')).toBe(false);
    expect(createToken(id).token).not.toBe(token);
  });

  test('of another shape are not split', () => {
    const { token } = createToken(id);
    for (const wrong of [
      '',
      'abc',
      id,
      token.slice(1),
      `${token}0`,
      `${token} `,
      token.replace('_', '-'),
      `z${token.slice(1)}`,
    ]) {
      expect(splitToken(wrong), wrong).toBeNull();
    }
  });

  test('draw again where a byte would favour some letters', () => {
    const draws = [new Uint8Array([62, 63, 0, 255]), new Uint8Array([61, 126, 1]), new Uint8Array([2])];
    expect(randomBase62(4, () => draws.shift() ?? new Uint8Array())).toBe('0z12');
  });
});
