/**
 * Runs a script of the repository under the locked Node 24: `node scripts/node24.mjs FILE …`, or a tool that a
 * dependency brings: `node scripts/node24.mjs --bin NAME …`.
 */
import path from 'node:path';
import process from 'node:process';
import { ensureInstalled, root, runEntry } from '../packages/cli/bin/runtime.js';
import { binOf } from './tools.mjs';

ensureInstalled();
const [first, ...rest] = process.argv.slice(2);
if (first === undefined) throw new Error('usage: node scripts/node24.mjs FILE …  or  --bin NAME …');
if (first === '--bin') runEntry(binOf(rest[0] ?? ''), rest.slice(1));
else runEntry(path.resolve(root, first), rest);
