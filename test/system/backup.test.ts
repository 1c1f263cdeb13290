/** Databases that cannot be used are refused with words that help; `postern backup` and `postern restore` bring back. */
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { agentOf } from '../support/agent.ts';
import { ApiWriters } from '../support/api-writers.ts';
import { type CommandResult, postern } from '../support/cli.ts';
import { FREE_PORTS, Platform, repositoryRoot } from '../support/platform.ts';

const DENY = '{"on_http_request":[{"actions":[{"type":"deny","config":{"status_code":404}}]}]}';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'postern-backup-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

describe('a database that cannot be used', () => {
  const refusedStart = (): Promise<CommandResult> =>
    postern(['server', `--data-dir=${dataDir}`, ...FREE_PORTS], { HOME: dataDir, XDG_CONFIG_HOME: dataDir });
  const database = (): string => path.join(dataDir, 'postern.db');

  beforeEach(async () => {
    const platform = await Platform.start({ dataDir });
    await platform.api('POST', '/endpoints', { url: 'https://kept.example.com', traffic_policy: DENY });
    await platform.stop();
  });

  test('damaged: code 1, what to do, and the file as it was', async () => {
    const bytes = await readFile(database());
    bytes.fill(0xab, 4096 * 3, 4096 * 6);
    await writeFile(database(), bytes);
    const { code, stderr } = await refusedStart();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^postern server: The database .*postern\.db is damaged .*postern restore <backup file>$/m);
    expect(await readFile(database())).toEqual(bytes);
  });

  test('cut short', async () => {
    await truncate(database(), 5000);
    const { code, stderr } = await refusedStart();
    expect(code).toBe(1);
    expect(stderr).toMatch(/is damaged .*postern restore/);
  });

  test('written by a newer version', async () => {
    const db = new DatabaseSync(database());
    db.exec('PRAGMA user_version = 9999');
    db.close();
    const { code, stderr } = await refusedStart();
    expect(code).toBe(1);
    expect(stderr).toMatch(/written by a newer Postern \(schema version 9999/);
    expect(stderr).toMatch(/Run that newer version again, or bring back a backup/);
  });

  test('without its key', async () => {
    await rm(path.join(dataDir, 'encryption.key'));
    const { code, stderr } = await refusedStart();
    expect(code).toBe(1);
    expect(stderr).toMatch(/encryption\.key back/);
  });

  test('in use by another server', async () => {
    const platform = await Platform.start({ dataDir });
    try {
      const { code, stderr } = await refusedStart();
      expect(code).toBe(1);
      expect(stderr).toContain(`pid ${platform.runtime.pid}`);
      expect((await platform.api('GET', '/endpoints')).status).toBe(200);
    } finally {
      await platform.stop();
    }
  });
});

describe('backup and restore', () => {
  const env = (): NodeJS.ProcessEnv => ({ HOME: dataDir, XDG_CONFIG_HOME: dataDir });

  test('a backup under load is one moment; restored, it is served; what was there is kept', async () => {
    const backup = path.join(dataDir, 'backup.db');
    const early = new ApiWriters('early');
    const late = new ApiWriters('late');
    const args = ['--api-rate-limit=10000000'];
    let platform = await Platform.start({ dataDir, args });
    try {
      await early.run(platform, 4, AbortSignal.timeout(500));
      const running = late.run(platform, 4, AbortSignal.timeout(1500));
      const made = await postern(['backup', backup, `--data-dir=${dataDir}`], env());
      expect(made.code, made.stderr).toBe(0);
      expect(made.stdout).toContain(`the server (pid ${platform.runtime.pid}) goes on meanwhile`);
      expect(made.stdout).toMatch(/Written and checked: .*backup\.db \(\d+ resources of 1 account, \d+ KiB\)/);
      const again = await postern(['backup', backup, `--data-dir=${dataDir}`], env());
      expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('exists already') });
      await running;
      expect((await late.check(platform)).problems).toEqual([]);
      const refused = await postern(['restore', backup, `--data-dir=${dataDir}`], env());
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('Stop it first') });
      await platform.stop();

      const restored = await postern(['restore', backup, `--data-dir=${dataDir}`], env());
      expect(restored.code, restored.stderr).toBe(0);
      const kept = /is kept as (\S+)/.exec(restored.stdout)?.[1] ?? '';
      expect(existsSync(kept)).toBe(true);
      platform = await Platform.start({ dataDir, args });
      expect((await early.check(platform)).problems).toEqual([]);
      // Of the late ones whatever was there at that moment, each whole.
      const { problems } = await late.check(platform);
      expect(problems.filter((problem) => !problem.includes('promised'))).toEqual([]);
    } finally {
      await platform.stop();
    }
  });

  test('onto another machine: the key has to come along, and another key is refused', async () => {
    const backup = path.join(dataDir, 'backup.db');
    const platform = await Platform.start({ dataDir });
    const made = await platform.api('POST', '/endpoints', { url: 'http://moved.example.com', traffic_policy: DENY });
    expect((await postern(['backup', backup, `--data-dir=${dataDir}`], env())).code).toBe(0);
    await platform.stop();

    const elsewhere = path.join(dataDir, 'elsewhere');
    const strange = { ...env(), POSTERN_ENCRYPTION_KEY: 'ab'.repeat(32) };
    const wrong = await postern(['restore', backup, `--data-dir=${elsewhere}`], strange);
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('encrypted with another key') });
    const restored = await postern(['restore', backup, '--data-dir', elsewhere], env());
    expect(restored.code, restored.stderr).toBe(0);
    expect(restored.stdout).toContain('put the encryption key that belongs to the backup');
    const without = await postern(['server', `--data-dir=${elsewhere}`, ...FREE_PORTS], env());
    expect(without.code).toBe(1);
    await copyFile(path.join(dataDir, 'encryption.key'), path.join(elsewhere, 'encryption.key'));
    const moved = await Platform.start({ dataDir: elsewhere });
    try {
      // Nothing is made anew: clients go on with the credentials that they have, and the log says what is missing.
      const authorization = `Bearer ${platform.apiKey}`;
      const row = await moved.api('GET', `/endpoints/${String(made.body.id)}`, undefined, { authorization });
      expect(row.status).toBe(200);
      expect(moved.apiKey).toBe('');
      expect(existsSync(path.join(elsewhere, 'authtoken'))).toBe(false);
      await expect
        .poll(() => moved.output)
        .toMatch(/first API key is missing; what is stored stays.*--reset-credentials/);
      const agent = agentOf(moved, { authtoken: platform.authtoken });
      await agent.online();
      await agent.close();
      expect((await moved.visit('http://moved.example.com')).status).toBe(404);
    } finally {
      await moved.stop();
    }
  });

  test('without a folder named: that of the running server, and words about --data-dir when there is none', async () => {
    // From elsewhere than a clone, as an installed command: a copy of this one would look for its data there.
    const backup = path.join(dataDir, 'found.db');
    const home = { ...env(), POSTERN_DATA_DIR: '' };
    const platform = await Platform.start({ dataDir });
    const emptyDefault = !existsSync(path.join(repositoryRoot, '.postern', 'postern.db'));
    try {
      if (emptyDefault) {
        const made = await postern(['backup', backup], home);
        expect(made.code, made.stderr).toBe(0);
        expect(made.stdout).toContain(`(pid ${platform.runtime.pid})`);
        expect(existsSync(backup)).toBe(true);
      }
    } finally {
      await platform.stop();
    }
    const without = await postern(['backup', path.join(dataDir, 'no.db')], { ...env(), POSTERN_DATA_DIR: '/nowhere' });
    expect(without.code).toBe(1);
    expect(without.stderr).toMatch(/^postern backup: there is no database at \/nowhere\/.*--data-dir <folder>/);
  });

  test('say what they do', async () => {
    for (const command of ['backup', 'restore']) {
      const { code, stdout } = await postern([command, '--help'], env());
      expect(code).toBe(0);
      expect(stdout).toContain('--data-dir <folder>');
      expect(stdout).toContain('encryption');
    }
    const nothing = await postern(['backup', path.join(dataDir, 'x.db'), `--data-dir=${dataDir}/none`], env());
    expect(nothing).toMatchObject({ code: 1, stderr: expect.stringContaining('--data-dir') });
  });
});
