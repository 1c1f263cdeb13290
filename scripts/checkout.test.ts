import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { checkOut } from '../bench/checkout.ts';

const root = path.resolve(import.meta.dirname, '..');
const isClone = spawnSync('git', ['-C', root, 'rev-parse', '--verify', 'HEAD']).status === 0;

test.runIf(isClone)('another commit has its own packages and this clone’s dependencies, and is gone afterwards', () => {
  const checkout = checkOut(root, 'HEAD');
  try {
    const real = (file: string): string => realpathSync(path.join(checkout.root, 'node_modules', file));
    expect(real('@postern/edge')).toBe(realpathSync(path.join(checkout.root, 'packages', 'edge')));
    expect(real('postern')).toBe(realpathSync(path.join(checkout.root, 'packages', 'cli')));
    expect(real('pino')).toBe(realpathSync(path.join(root, 'node_modules', 'pino')));
  } finally {
    checkout.remove();
  }
  expect(existsSync(checkout.root)).toBe(false);
  expect(execFileSync('git', ['-C', root, 'worktree', 'list'], { encoding: 'utf8' })).not.toContain(checkout.root);
  expect(() => checkOut(root, 'no-such-commit')).toThrow('no-such-commit');
});
