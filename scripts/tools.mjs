/** Where the development tools are. */
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { root } from '../packages/cli/bin/runtime.js';

/** The JavaScript file behind a command of node_modules/.bin. */
export function binOf(name) {
  return realpathSync(path.join(root, 'node_modules', '.bin', name));
}
