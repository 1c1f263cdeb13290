/** Where the workers of one server find each other: a folder of sockets that nobody else may enter. */
import { mkdtempSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isAlive } from '../runtime-file.ts';

const PREFIX = 'workers-';
/** Of a socket's path, by sun_path of the systems (104 to 108 bytes), less the longest name in it. */
const LONGEST = 80;

/**
 * In the data folder, by the server's process id, as the next server may be there before this one has left; what killed
 * servers have left behind goes. Where that path is too long for a socket, in the system's folder for temporary files.
 */
export function workersFolder(dataDir: string, pid: number): string {
  for (const name of readdirSync(dataDir)) {
    const owner = /^workers-(\d+)$/.exec(name)?.[1];
    if (owner !== undefined && (Number(owner) === pid || !isAlive(Number(owner))))
      removeFolder(path.join(dataDir, name));
  }
  const folder = folderOfWorkers(dataDir, pid);
  if (Buffer.byteLength(folder) > LONGEST) return mkdtempSync(path.join(tmpdir(), 'postern-workers-'));
  mkdirSync(folder, { mode: 0o700 });
  return folder;
}

/** Where that of a server is, unless its path is too long. */
export function folderOfWorkers(dataDir: string, pid: number): string {
  return path.join(dataDir, `${PREFIX}${pid}`);
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
