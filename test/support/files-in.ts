import { readdir } from 'node:fs/promises';
import path from 'node:path';

/**
 * What `look` says of each file below `folder`, by its path from there. A server that runs writes its files beside their
 * places and renames them, so one that is gone when it is looked at is left out: what it became is listed as well, now or then.
 */
export async function ofFilesIn<T>(
  folder: string,
  look: (file: string) => Promise<T>,
): Promise<ReadonlyMap<string, T>> {
  const said = new Map<string, T>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    try {
      said.set(path.relative(folder, file), await look(file));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    }
  }
  return said;
}
