/** `npm test`: installs what is missing, then runs every test. Arguments go to vitest. */
import path from 'node:path';
import process from 'node:process';
import { ensureInstalled, root, runEntry } from '../packages/cli/bin/runtime.js';

ensureInstalled();
runEntry(path.join(root, 'node_modules', 'vitest', 'vitest.mjs'), ['run', ...process.argv.slice(2)]);
