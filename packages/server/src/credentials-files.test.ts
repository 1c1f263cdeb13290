import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { credentialFiles, firstTokens } from './credentials-files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-tokens-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Control as it behaves: first credentials once, then only by reset. */
function fakeControl(): Parameters<typeof firstTokens>[0] {
  let count = 0;
  const issue = (): { accountId: string; apiKey: string; authtoken: string } => {
    count += 1;
    return { accountId: 'ac_1', apiKey: `key ${count}`, authtoken: `token ${count}` };
  };
  return {
    bootstrap: async () => (count === 0 ? issue() : { accountId: 'ac_1', apiKey: null, authtoken: null }),
    resetCredentials: async () => issue(),
  };
}

test('are made once, kept in private files, and made again on request or when a file is gone', async () => {
  const control = fakeControl();
  const files = credentialFiles(folder);
  const first = { apiKey: 'key 1', authtoken: 'token 1' };
  expect(await firstTokens(control, files, false)).toEqual(first);
  for (const file of [files.apiKeyPath, files.authtokenPath]) expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(files.authtokenPath, 'utf8')).toBe('token 1\n');

  expect(await firstTokens(control, files, false)).toEqual(first);
  expect(await firstTokens(control, files, true)).toEqual({ apiKey: 'key 2', authtoken: 'token 2' });
  expect(await firstTokens(control, files, false)).toEqual({ apiKey: 'key 2', authtoken: 'token 2' });
  await rm(files.apiKeyPath);
  expect(await firstTokens(control, files, false)).toEqual({ apiKey: 'key 3', authtoken: 'token 3' });
  expect(await readFile(files.apiKeyPath, 'utf8')).toBe('key 3\n');
});
