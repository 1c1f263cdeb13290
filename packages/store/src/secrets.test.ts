import { describe, expect, test } from 'vitest';
import { createSecretBox, keyIdOf, SecretUnreadable } from './secrets.ts';
import { TEST_KEY } from './testing/key.ts';

describe('a secret box', () => {
  const box = createSecretBox(TEST_KEY);

  test('opens what it sealed, whatever it is', () => {
    for (const secret of ['', 'hunter2', 'ключ 🔑', 'x'.repeat(100_000)]) {
      expect(box.open(box.seal(secret, 'here'), 'here')).toBe(secret);
    }
  });

  test('seals the same text differently each time', () => {
    expect(box.seal('same', 'here')).not.toBe(box.seal('same', 'here'));
  });

  test('refuses what was moved, changed or cut', () => {
    const sealed = box.seal('hunter2', 'here');
    expect(() => box.open(sealed, 'there')).toThrow(SecretUnreadable);
    const [format, keyId, body = ''] = sealed.split('.');
    for (let at = 0; at < body.length - 1; at++) {
      const other = body[at] === 'A' ? 'B' : 'A';
      const changed = `${format}.${keyId}.${body.slice(0, at)}${other}${body.slice(at + 1)}`;
      expect(() => box.open(changed, 'here'), String(at)).toThrow(SecretUnreadable);
    }
    for (const wrong of ['', 'v1', 'v2' + sealed.slice(2), sealed.slice(0, 40), `${sealed}.`, `v1.${keyId}.AAAA`]) {
      expect(() => box.open(wrong, 'here'), wrong).toThrow(SecretUnreadable);
    }
  });

  test('says when a secret belongs to another key', () => {
    const other = createSecretBox(new Uint8Array(32).fill(8));
    expect(() => other.open(box.seal('hunter2', 'here'), 'here')).toThrow(/another encryption key/);
    expect(keyIdOf(TEST_KEY)).not.toBe(keyIdOf(new Uint8Array(32).fill(8)));
  });

  test('signs the same payload the same way, with a key of its own', () => {
    expect(box.sign('payload')).toBe(createSecretBox(TEST_KEY).sign('payload'));
    expect(box.sign('payload')).not.toBe(box.sign('payloae'));
    expect(box.sign('payload')).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  test('takes no key of another length', () => {
    expect(() => createSecretBox(new Uint8Array(16))).toThrow(/32 bytes, not 16/);
  });
});
