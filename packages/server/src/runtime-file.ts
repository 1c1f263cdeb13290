import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import envPaths from 'env-paths';
import { writeFileAtomically } from './files.ts';

/** `runtime.json` (DESIGN §1): where a running server is, for tools and tests that wait for it. */
export interface RuntimeInfo {
  readonly pid: number;
  readonly version: string;
  readonly api_url: string;
  /** host:port */
  readonly http_addr: string;
  readonly https_addr: string;
  readonly agent_addr: string;
  /** "from-to" */
  readonly tcp_ports: string;
  readonly metrics_url: string;
  readonly base_domains: readonly string[];
  readonly ca_path: string;
  readonly api_key_path: string;
  readonly authtoken_path: string;
}

/** Tells where the newest server of this user is, so that `postern http 3000` finds it from any folder. */
const pointerPath = (): string => path.join(envPaths('postern', { suffix: '' }).config, 'newest-server.json');

/** Writes runtime.json and the per-user pointer; returns what removes them again. */
export async function publishRuntime(dataDir: string, info: RuntimeInfo): Promise<() => Promise<void>> {
  const file = path.join(dataDir, 'runtime.json');
  await writeFileAtomically(file, `${JSON.stringify(info, null, 2)}\n`, 0o600);
  // The pointer is a convenience: a home folder that cannot be written must not stop a server.
  await writePointer(file).catch(() => undefined);
  return async () => {
    await rm(file, { force: true });
    if ((await readPointer()) === file) await rm(pointerPath(), { force: true });
  };
}

/** The runtime of a data directory, or null when no server runs there. */
export async function readRuntime(dataDir: string): Promise<RuntimeInfo | null> {
  return readInfo(path.join(dataDir, 'runtime.json'));
}

/** The runtime of the newest local server of this user, or null. */
export async function newestRuntime(): Promise<RuntimeInfo | null> {
  const file = await readPointer();
  return file === null ? null : readInfo(file);
}

async function readInfo(file: string): Promise<RuntimeInfo | null> {
  try {
    const info = JSON.parse(await readFile(file, 'utf8')) as RuntimeInfo;
    return isAlive(info.pid) ? info : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function writePointer(runtimeFile: string): Promise<void> {
  await mkdir(path.dirname(pointerPath()), { recursive: true });
  await writeFileAtomically(pointerPath(), `${JSON.stringify({ runtime: runtimeFile })}\n`, 0o600);
}

async function readPointer(): Promise<string | null> {
  try {
    const { runtime } = JSON.parse(await readFile(pointerPath(), 'utf8')) as { runtime?: unknown };
    return typeof runtime === 'string' ? runtime : null;
  } catch {
    return null;
  }
}
