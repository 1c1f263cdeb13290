/** System calls that really fail. Where no C compiler is at hand these are skipped; faults.test.ts covers the rest. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openTestStore, temporaryDirectory } from '../testing/directory.ts';
import { expectLogToMatchRows } from '../testing/replay.ts';

const SOURCE = fileURLToPath(new URL('../testing/failing-disk.c', import.meta.url));
const CHILD = fileURLToPath(new URL('../testing/failing-disk-child.ts', import.meta.url));
const COMPILER = process.env['CC'] ?? 'cc';
const glibc = process.platform === 'linux' && !existsSync('/etc/alpine-release');
const canPreload = glibc && spawnSync(COMPILER, ['--version']).status === 0;

describe.skipIf(!canPreload)('system calls that fail (needs Linux and a C compiler)', () => {
  test.each([
    ['fsync', 'disk I/O error'],
    ['write', 'database or disk is full'],
  ])('%s: commits are refused, nothing is applied, and writing goes on by itself', async (what, message) => {
    const directory = temporaryDirectory();
    const { report, code } = await runChild(directory, what, 'recover');
    expect(report).toEqual({
      refusals: [`${message} (no)`, `${message} (no)`],
      rows: ['rd_1'],
      health: { writable: false, lastError: message },
    });
    expect(code).toBe(0);
    await expectRows(directory, ['rd_1', 'rd_2']);
  });

  test.each(['fsync', 'write'])('%s: what was refused does not come back with a crash', async (what) => {
    const directory = temporaryDirectory();
    const { signal } = await runChild(directory, what, 'crash');
    expect(signal).toBe('SIGKILL');
    await expectRows(directory, ['rd_1']);
  });
});

async function runChild(
  directory: string,
  what: string,
  then: string,
): Promise<{ report: unknown; code: number | null; signal: NodeJS.Signals | null }> {
  const library = join(directory, 'failing-disk.so');
  const built = spawnSync(COMPILER, ['-shared', '-fPIC', '-o', library, SOURCE, '-ldl'], { encoding: 'utf8' });
  expect(built.status, built.stderr).toBe(0);
  const control = join(directory, 'fault');
  const child = spawn(process.execPath, [CHILD, directory, control, what, then], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, LD_PRELOAD: library, POSTERN_FAULT_FILE: control },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(child, 'close');
  return { report: JSON.parse(output), code: child.exitCode, signal: child.signalCode };
}

async function expectRows(directory: string, ids: readonly string[]): Promise<void> {
  const store = await openTestStore(directory);
  expect((await store.all('reservedDomains')).map(({ id }) => id)).toEqual(ids);
  await expectLogToMatchRows(store);
}
