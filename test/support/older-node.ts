import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** A Node on PATH that starts Postern and cannot run it itself (20 to 23), or null. */
export function olderNode(): string | null {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  for (const candidate of folders.map((entry) => path.join(entry, 'node')).filter((file) => existsSync(file))) {
    try {
      const [major = 0] = execFileSync(candidate, ['-p', 'process.versions.node']).toString().split('.').map(Number);
      if (major >= 20 && major < 24) return candidate;
    } catch {
      // A node that does not start judges nothing.
    }
  }
  return null;
}
