/** Programs of other languages: where they are, what they build, and where that is kept between runs. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import type { Command } from './program.ts';

/** Outside the tree, so that a fresh clone builds nothing twice: POSTERN_CLIENTS_CACHE, or the user's cache folder. */
export const CACHE =
  process.env['POSTERN_CLIENTS_CACHE'] ??
  path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'postern-clients');

/** '' when it is not on PATH. */
export function which(program: string): string {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    const file = path.join(folder, program);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // The next one.
    }
  }
  return '';
}

/**
 * A build or a download that failed, with what its tool printed. `refused`: a registry answered that it does not have what
 * was asked for, which another try will not change.
 */
export class BuildError extends Error {
  readonly refused: boolean;
  constructor(message: string, refused: boolean) {
    super(message);
    this.refused = refused;
  }
}

/** What tools print of a registry's plain no, and of a network that leads nowhere. */
const REFUSED =
  /\b(?:403 Forbidden|404 Not Found|410 Gone)\b|Could not find artifact|was not found in \S+ during a previous attempt|No matching distribution|no matching package named/i;
const NETWORK =
  /dial tcp|no such host|could not resolve|connection refused|network is unreachable|Temporary failure in name resolution|failed to download|Could not transfer artifact|spurious network error|ETIMEDOUT|ECONNREFUSED|ENOTFOUND/i;

export interface ToolRun {
  readonly code: number | null;
  readonly output: string;
}

/**
 * Runs a tool to its end, and once more when the network failed it; answers what it printed.
 * @throws BuildError that says plainly when it was the network
 */
export async function runTool(tool: Command): Promise<string> {
  let { code, output } = await tryTool(tool);
  if (code !== 0 && NETWORK.test(output) && !REFUSED.test(output)) ({ code, output } = await tryTool(tool));
  if (code === 0) return output;
  const what = `${path.basename(tool.command)} ${tool.args?.join(' ') ?? ''}: exit code ${code}`;
  const refused = REFUSED.test(output);
  const plainly = refused
    ? 'The registry that this machine reaches does not have it.\n'
    : NETWORK.test(output)
      ? 'The download failed: the network has no way to it.\n'
      : '';
  throw new BuildError(`${what}\n${plainly}${output.slice(-4_000)}`, refused);
}

/** Builds of everything take minutes; what takes longer waits for something that does not come. */
const MOST_MS = 1_800_000;

/** Runs a tool to its end, however it ends; it is killed after `mostMs`. */
export function tryTool({ command, args = [], cwd, env = {} }: Command, mostMs = MOST_MS): Promise<ToolRun> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: mostMs,
    killSignal: 'SIGKILL',
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-100_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

/** What is being built, for the next one who wants the same. */
const underWay = new Map<string, Promise<string>>();

/**
 * A folder of the cache that `make` has filled for exactly these inputs (files, folders, words), now or in an earlier
 * run. It is there whole or not at all; what older inputs have made goes.
 */
export function built(
  name: string,
  inputs: readonly string[],
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const digest = createHash('sha256');
  for (const input of inputs) addInput(digest, input);
  const folder = path.join(CACHE, `${name}-${digest.digest('hex').slice(0, 16)}`);
  const making = underWay.get(folder) ?? fill(name, folder, make).finally(() => underWay.delete(folder));
  underWay.set(folder, making);
  return making;
}

async function fill(name: string, folder: string, make: (folder: string) => Promise<void>): Promise<string> {
  await mkdir(CACHE, { recursive: true });
  const present = await readdir(CACHE);
  if (present.includes(path.basename(folder))) return folder;
  const unfinished = await mkdtemp(path.join(CACHE, `unfinished-${name}-`));
  try {
    await make(unfinished);
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
  const old = present.filter((entry) => entry.startsWith(`${name}-`) && /-[0-9a-f]{16}$/.test(entry));
  await Promise.all(old.map((entry) => rm(path.join(CACHE, entry), { recursive: true, force: true })));
  return folder;
}

/** A path's content by its name below it; anything else as it is. */
function addInput(digest: ReturnType<typeof createHash>, input: string): void {
  if (!path.isAbsolute(input)) {
    digest.update(`word ${input}\n`);
    return;
  }
  for (const file of filesOf(input)) {
    digest.update(`file ${path.relative(path.dirname(input), file)}\n`);
    digest.update(readFileSync(file));
  }
}

function filesOf(entry: string): readonly string[] {
  try {
    return readdirSync(entry, { withFileTypes: true })
      .toSorted((left, right) => (left.name < right.name ? -1 : 1))
      .flatMap((inside) => filesOf(path.join(entry, inside.name)));
  } catch {
    return [entry];
  }
}
