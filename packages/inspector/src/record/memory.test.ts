import { execFile } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('a gigabyte that passes leaves the process within 64 MiB of what it was', async () => {
  const script = path.join(import.meta.dirname, '..', 'testing', 'flood.ts');
  // A young generation that V8 sizes as it likes is 4 to 27 MiB of that, and what it does with compiled code that it has
  // from a cache 6 to 18: nothing that a recorder keeps.
  const { NODE_COMPILE_CACHE: _cache, ...env } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, ['--max-semi-space-size=1', script, '1000'], { env });
  expect(Number(stdout)).toBeGreaterThan(20 * 1024 * 1024);
  expect(Number(stdout)).toBeLessThan(64 * 1024 * 1024);
});
