/**
 * A test run leaves nothing behind: temporary folders lie in a folder of the run's own, and every process that descends
 * from it carries its name. What is still there at the end fails the run, and is named and removed.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

const MARK = 'POSTERN_TEST_RUN';
/** Whoever was told to end may need a moment. */
const GRACE_MS = 60_000;

export default function setup(): () => Promise<void> {
  const outer = process.env['TMPDIR'];
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-run-'));
  process.env['TMPDIR'] = folder;
  process.env[MARK] = folder;
  return async () => {
    if (outer === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = outer;
    const found = await leftovers(folder, GRACE_MS);
    for (const { pid } of processesOf(folder)) process.kill(pid, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
    if (found.length === 0) return;
    process.exitCode = 1;
    throw new Error(`the tests have left behind:\n  ${found.join('\n  ')}`);
  };
}

/** What is in the folder, and who runs on, in words; asked again until nothing is left or the time is over. */
export async function leftovers(folder: string, milliseconds: number): Promise<readonly string[]> {
  const end = Date.now() + milliseconds;
  for (;;) {
    const found = [
      ...readdirSync(folder).map((name) => path.join(folder, name)),
      ...processesOf(folder).map(({ pid, command }) => `process ${pid}: ${command}`),
    ];
    if (found.length === 0 || Date.now() >= end) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

interface Running {
  readonly pid: number;
  readonly command: string;
}

/** Processes with the run's mark in their environment, but for this one and vitest's own. Linux only; none elsewhere. */
function processesOf(folder: string): readonly Running[] {
  if (process.platform !== 'linux') return [];
  const found: Running[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const environment = contentOf(`/proc/${name}/environ`);
    if (!environment.split('\0').includes(`${MARK}=${folder}`)) continue;
    const command = contentOf(`/proc/${name}/cmdline`).split('\0').join(' ').trim();
    // Ended ones that nobody has asked about have no command any more.
    if (command !== '' && !command.includes('vitest')) found.push({ pid, command });
  }
  return found;
}

/** '' when it is gone or another user's. */
function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
