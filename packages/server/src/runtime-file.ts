import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import envPaths from 'env-paths';
import { readIfThere, writeFileAtomically } from './files.ts';
import { listeners, type RuntimeField } from './listeners/list.ts';
import { codeOf } from './problem.ts';

/** `runtime.json` (docs/design.md §1): where a running server is, for tools and tests that wait for it. */
export interface RuntimeInfo extends Readonly<Record<RuntimeField, string>> {
  readonly pid: number;
  readonly version: string;
  /** "from-to" */
  readonly tcp_ports: string;
  readonly base_domains: readonly string[];
  readonly ca_path: string;
  readonly api_key_path: string;
  readonly authtoken_path: string;
}

/** Each of them text. */
const TEXTS = [
  ...listeners.map(({ runtime }) => runtime),
  'version',
  'tcp_ports',
  'ca_path',
  'api_key_path',
  'authtoken_path',
] as const;

/** How many running servers of one user the pointer remembers. */
const MOST_POINTERS = 20;

const runtimePath = (dataDir: string): string => path.join(dataDir, 'runtime.json');
/** Runtime files of this user's servers, newest first, so that `postern http 3000` finds one from any folder. */
const pointerPath = (): string => path.join(envPaths('postern', { suffix: '' }).config, 'local-servers.json');

/** Removes what a server that was killed left behind, so that whoever waits does not take it for the new one. */
export async function forgetRuntime(dataDir: string): Promise<void> {
  await rm(runtimePath(dataDir), { force: true });
}

/** Writes runtime.json and the per-user pointer; returns what removes them again. */
export async function publishRuntime(dataDir: string, info: RuntimeInfo): Promise<() => Promise<void>> {
  const file = runtimePath(dataDir);
  await writeFileAtomically(file, `${JSON.stringify(info, null, 2)}\n`, 0o600);
  await point((files) => [file, ...files.filter((other) => other !== file)]);
  return async () => {
    await forgetRuntime(dataDir);
    await point((files) => files.filter((other) => other !== file));
  };
}

/** The runtime of a data directory, or null when no server runs there. */
export async function readRuntime(dataDir: string): Promise<RuntimeInfo | null> {
  return readInfo(runtimePath(dataDir));
}

/** The runtime of this user's newest local server that runs, or null. */
export async function newestRuntime(): Promise<RuntimeInfo | null> {
  for (const file of await readPointer()) {
    const info = await readInfo(file);
    if (info !== null) return info;
  }
  return null;
}

async function readInfo(file: string): Promise<RuntimeInfo | null> {
  const info = await readJson(file);
  return isRuntimeInfo(info) && isAlive(info.pid) ? info : null;
}

function isRuntimeInfo(value: unknown): value is RuntimeInfo {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  return (
    typeof fields.get('pid') === 'number' &&
    Array.isArray(fields.get('base_domains')) &&
    TEXTS.every((key) => typeof fields.get(key) === 'string')
  );
}

/** Whether a process of this number runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** The pointer is a convenience: a home folder that cannot be written must not stop a server. */
async function point(change: (files: readonly string[]) => readonly string[]): Promise<void> {
  try {
    const files = change(await readPointer());
    const file = pointerPath();
    if (files.length === 0) return await rm(file, { force: true });
    await mkdir(path.dirname(file), { recursive: true });
    await writeFileAtomically(file, `${JSON.stringify({ runtimes: files.slice(0, MOST_POINTERS) })}\n`, 0o600);
  } catch {
    // Then only `./.postern` and explicit addresses are found.
  }
}

async function readPointer(): Promise<readonly string[]> {
  const content = await readJson(pointerPath());
  if (typeof content !== 'object' || content === null || !('runtimes' in content)) return [];
  const { runtimes } = content;
  return Array.isArray(runtimes) ? runtimes.filter((file) => typeof file === 'string') : [];
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse((await readIfThere(file)) ?? 'null');
  } catch {
    return null;
  }
}
