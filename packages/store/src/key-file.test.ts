import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadKey, loadOrCreateKey, parseKey } from './key-file.ts';
import { temporaryDirectory } from './testing/directory.ts';
import { TEST_KEY } from './testing/key.ts';

describe('the encryption key', () => {
  test('is made once, for its owner only', async () => {
    const directory = join(temporaryDirectory(), 'new', 'folder');
    const key = await loadOrCreateKey(directory);
    expect(key).toHaveLength(32);
    expect(await loadOrCreateKey(directory)).toEqual(key);
    expect(readdirSync(directory)).toEqual(['encryption.key']);
    if (process.platform !== 'win32') {
      expect(statSync(join(directory, 'encryption.key')).mode & 0o777).toBe(0o600);
    }
  });

  test('of two first starts at once is one', async () => {
    const directory = temporaryDirectory();
    const [one, two] = await Promise.all([loadOrCreateKey(directory), loadOrCreateKey(directory)]);
    expect(one).toEqual(two);
  });

  test('that is given wins, and no file is made', async () => {
    const directory = temporaryDirectory();
    const hex = Buffer.from(TEST_KEY).toString('hex');
    expect(Buffer.from(await loadOrCreateKey(directory, { given: hex }))).toEqual(Buffer.from(TEST_KEY));
    expect(readdirSync(directory)).toEqual([]);
    for (const form of ['base64', 'base64url'] as const) {
      expect(Buffer.from(parseKey(` ${Buffer.from(TEST_KEY).toString(form)}\n`, 'x'))).toEqual(Buffer.from(TEST_KEY));
    }
  });

  test('can be asked for without making one', async () => {
    const directory = temporaryDirectory();
    expect(await loadKey(directory)).toBeNull();
    expect(readdirSync(directory)).toEqual([]);
    const key = await loadOrCreateKey(directory);
    expect(await loadKey(directory)).toEqual(key);
  });

  test('that makes no sense is refused without being repeated', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'encryption.key'), 'secret-but-short');
    const error: unknown = await loadOrCreateKey(directory).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'StoreRefused', reason: 'bad_key' });
    expect(String(error)).toMatch(/encryption\.key must hold 32 random bytes/);
    expect(String(error)).not.toContain('secret-but-short');
    await expect(loadOrCreateKey(directory, { given: 'nope' })).rejects.toThrow(/POSTERN_ENCRYPTION_KEY must hold/);
    expect(readFileSync(join(directory, 'encryption.key'), 'utf8')).toBe('secret-but-short');
  });

  test('is not made anew for a database that had one', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'postern.db'), '');
    await expect(loadOrCreateKey(directory)).rejects.toThrow(/Put the file encryption\.key back/);
    expect(readdirSync(directory)).toEqual(['postern.db']);
  });
});
