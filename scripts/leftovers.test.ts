import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { leftovers } from './leftovers.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'postern-leftovers-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('nothing left is nothing found', async () => {
  expect(await leftovers(folder, 0)).toEqual([]);
});

test('a file that is left is named', async () => {
  writeFileSync(path.join(folder, 'forgotten'), '');
  expect(await leftovers(folder, 0)).toEqual([path.join(folder, 'forgotten')]);
});

test.runIf(process.platform === 'linux')('a process that runs on is named', async () => {
  const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { POSTERN_TEST_RUN: folder },
  });
  await once(child.stdout, 'data');
  const found = await leftovers(folder, 0);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(found).toEqual([expect.stringContaining(`process ${child.pid ?? 0}: `)]);
  expect(await leftovers(folder, 5_000)).toEqual([]);
});
