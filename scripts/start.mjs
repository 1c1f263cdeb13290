/** `npm start`: installs what is missing, then runs the platform with its demo. Flags go to `postern server`. */
import path from 'node:path';
import process from 'node:process';
import { ensureInstalled, enterUsersFolder, root, runEntry } from '../packages/cli/bin/runtime.js';

ensureInstalled();
enterUsersFolder();
runEntry(path.join(root, 'packages', 'cli', 'src', 'main.ts'), ['server', '--demo', ...process.argv.slice(2)]);
