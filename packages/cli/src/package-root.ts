import { existsSync } from 'node:fs';
import path from 'node:path';

/** Folder of this package: `packages/cli` of a clone, or what was installed, where all of the code lies in `dist`. */
export const PACKAGE_ROOT = packageRoot(import.meta.dirname);

/** Root of the clone that this package is part of, or null when it was installed from a package. */
export const CLONE_ROOT = existsSync(path.join(PACKAGE_ROOT, 'src', 'main.ts'))
  ? path.resolve(PACKAGE_ROOT, '..', '..')
  : null;

function packageRoot(from: string): string {
  for (let folder = from; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'package.json')) || path.dirname(folder) === folder) return folder;
  }
}
