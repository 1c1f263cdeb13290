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

type Fakes = Parameters<typeof firstTokens>[0] & Parameters<typeof firstTokens>[3];

interface Fake extends Fakes {
  readonly stored: { apiKey: string; authtoken: string } | null;
  readonly warnings: string[];
}

/** Control as it behaves: first credentials once, then only by reset. */
function fakeControl(): Fake {
  let count = 0;
  const fake = {
    stored: null as Fake['stored'],
    warnings: [] as string[],
    warn: (_fields: object, message: string) => void fake.warnings.push(message),
    async resetCredentials(keep: Parameters<Fakes['resetCredentials']>[0]) {
      count += 1;
      const made = { accountId: 'ac_1', apiKey: `key ${count}`, authtoken: `token ${count}` };
      await keep(made);
      fake.stored = made;
      return made;
    },
    bootstrap: async (keep: Parameters<Fakes['bootstrap']>[0]) =>
      fake.stored === null ? fake.resetCredentials(keep) : null,
    knows: async (token: string) => token === fake.stored?.apiKey || token === fake.stored?.authtoken,
  };
  return fake;
}

test('are made once, kept in private files, and made again on request', async () => {
  const control = fakeControl();
  const files = credentialFiles(folder);
  const first = { apiKey: 'key 1', authtoken: 'token 1' };
  expect(await firstTokens(control, files, false, control)).toMatchObject(first);
  for (const file of [files.apiKeyPath, files.authtokenPath]) expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(files.authtokenPath, 'utf8')).toBe('token 1\n');

  expect(await firstTokens(control, files, false, control)).toEqual(first);
  const second = { apiKey: 'key 2', authtoken: 'token 2' };
  expect(await firstTokens(control, files, true, control)).toMatchObject(second);
  expect(await firstTokens(control, files, false, control)).toEqual(second);
  expect(control.warnings).toEqual([]);
});

test('a lost file leaves what is stored as it is, and says how to make new ones', async () => {
  const control = fakeControl();
  const files = credentialFiles(folder);
  await firstTokens(control, files, false, control);
  await rm(files.apiKeyPath);
  expect(await firstTokens(control, files, false, control)).toEqual({ apiKey: null, authtoken: 'token 1' });
  expect(control.stored).toMatchObject({ apiKey: 'key 1', authtoken: 'token 1' });
  expect(control.warnings).toEqual([expect.stringMatching(/first API key is missing.*--reset-credentials/)]);
  await expect(stat(files.apiKeyPath)).rejects.toThrow('ENOENT');
});

test('files of another database are said to be that', async () => {
  const [here, elsewhere] = [fakeControl(), fakeControl()];
  const files = credentialFiles(folder);
  await firstTokens(elsewhere, files, false, elsewhere);
  await here.resetCredentials(async () => {});
  await here.resetCredentials(async () => {});
  await firstTokens(here, files, false, here);
  expect(here.warnings).toEqual([
    expect.stringContaining('not one of this database'),
    expect.stringContaining('not one of this database'),
  ]);
});

test('the files are written before the database knows of them, so that a crash in between costs nobody the way in', async () => {
  const control = fakeControl();
  const files = credentialFiles(folder);
  const crash = {
    ...control,
    bootstrap: async (keep: Parameters<Fakes['bootstrap']>[0]) => {
      await keep({ accountId: 'ac_1', apiKey: 'never stored', authtoken: 'never stored' });
      throw new Error('killed');
    },
  };
  await expect(firstTokens(crash, files, false, control)).rejects.toThrow('killed');
  expect(await firstTokens(control, files, false, control)).toMatchObject({ apiKey: 'key 1' });
  expect(await readFile(files.apiKeyPath, 'utf8')).toBe('key 1\n');
});
