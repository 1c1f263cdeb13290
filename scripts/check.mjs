/**
 * `npm run check`: formatting, lint, types, dead code, the rules of the house (`rules.ts`), licences. Each runs to its end and says how long it took; the
 * exit code is 1 when one failed.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { childEnvironment, ensureInstalled, findNode, root } from '../packages/cli/bin/runtime.js';
import { binOf } from './tools.mjs';

/** Licences that a dependency of the shipped product may have; all are compatible with Apache-2.0. */
const LICENCES = [
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Unlicense',
  'CC0-1.0',
  'BlueOak-1.0.0',
];

/** @type {readonly (readonly [title: string, tool: string, args: readonly string[]])[]} */
const CHECKS = [
  ['format', 'oxfmt', ['--check', '.']],
  ['lint', 'oxlint', ['--type-aware', '--deny-warnings']],
  ['types', 'tsc', ['-p', '.']],
  ['types of pages', 'tsc', ['-p', path.join('packages', 'ui')]],
  ['dead code', 'knip', []],
  ['rules', path.join(root, 'scripts', 'rules.ts'), []],
  [
    'licences',
    'license-checker-rseidelsohn',
    ['--production', '--excludePrivatePackages', '--onlyAllow', LICENCES.join(';'), '--summary'],
  ],
];

ensureInstalled();
const node = findNode();
let failed = 0;
for (const [title, tool, args] of CHECKS) {
  const started = performance.now();
  const result = spawnSync(node, [path.isAbsolute(tool) ? tool : binOf(tool), ...args], {
    cwd: root,
    env: childEnvironment(node),
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const ok = result.status === 0;
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${title} (${seconds} s)\n`);
  if (!ok) {
    failed += 1;
    process.stdout.write(`${result.stdout}${result.stderr}\n`);
  }
}
process.exit(failed === 0 ? 0 : 1);
