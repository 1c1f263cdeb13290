import { execFile } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('a gigabyte that passes leaves the process within 64 MiB of what it was', async () => {
  const script = path.join(import.meta.dirname, '..', 'testing', 'flood.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [script, '1000']);
  expect(Number(stdout)).toBeGreaterThan(20 * 1024 * 1024);
  expect(Number(stdout)).toBeLessThan(64 * 1024 * 1024);
});
