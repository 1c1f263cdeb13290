/**
 * Child processes of the benchmark: started, waited for, measured, ended by the handle that started them.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const LINE_MS = 20_000;

export class Child {
  readonly pid: number;
  private readonly child: ChildProcess;
  private readonly lines: Interface | null;
  private readonly queue: string[] = [];
  private wake: (() => void) | null = null;
  private ended = false;

  /** @param stdin whether `say` will be used */
  constructor(command: string, args: readonly string[], stdin = false, env: NodeJS.ProcessEnv = process.env) {
    this.child = spawn(command, args, { stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'inherit'], env });
    if (this.child.pid === undefined) throw new Error(`cannot start ${command}`);
    this.pid = this.child.pid;
    this.lines = this.child.stdout === null ? null : createInterface({ input: this.child.stdout });
    this.lines?.on('line', (line) => {
      this.queue.push(line);
      this.wake?.();
    });
    this.child.once('exit', () => {
      this.ended = true;
      this.wake?.();
    });
  }

  /** A script of `parts/`. */
  static part(name: string, argument: string, stdin = false): Child {
    return new Child(process.execPath, [path.join(here, 'parts', `${name}.ts`), argument], stdin);
  }

  say(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  /** The next line that it prints. */
  async line(limitMs: number = LINE_MS): Promise<string> {
    const deadline = Date.now() + limitMs;
    for (;;) {
      const line = this.queue.shift();
      if (line !== undefined) return line;
      const left = deadline - Date.now();
      if (this.ended || left <= 0) throw new Error(this.ended ? 'a child ended too soon' : 'a child said nothing');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** The next line that holds `text`; those before it are passed over. */
  async lineWith(text: string, limitMs: number = LINE_MS): Promise<string> {
    const deadline = Date.now() + limitMs;
    for (;;) {
      const line = await this.line(deadline - Date.now());
      if (line.includes(text)) return line;
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.ended) return;
    const gone = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    this.child.kill(signal);
    const late = setTimeout(() => this.child.kill('SIGKILL'), 5_000);
    await gone;
    clearTimeout(late);
  }
}

/** Something whose CPU time is counted: one process, or a master with its workers. */
export interface Measured {
  readonly label: string;
  readonly pids: readonly number[];
}

const ticksPerSecond = ((): number => {
  try {
    return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })) || 100;
  } catch {
    return 100;
  }
})();

/** CPU time is read from /proc; elsewhere only rates and latencies are measured. */
export const canMeasureCpu: boolean = process.platform === 'linux';

/** User and system time of the processes so far, in seconds; all their threads. */
export function cpuSeconds(measured: Measured): number {
  if (!canMeasureCpu) return Number.NaN;
  return measured.pids.reduce((sum, pid) => sum + (countsThreads ? runningTime(pid) : tickedTime(pid)), 0);
}

/** The kernel tells for how long each thread has run. */
const countsThreads = existsSync('/proc/self/schedstat');

/** In nanoseconds at its source; a thread that has ended takes its time with it, which ours do not. */
function runningTime(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number.parseInt(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1'), 10);
    } catch {
      // It has just ended.
    }
  }
  return nanoseconds / 1e9;
}

/** In hundredths of a second: coarse for a quarter of a gigabyte. */
function tickedTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The command in parentheses may hold spaces; utime and stime are fields 14 and 15, the 12th and 13th after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Process ids of the children of a process. */
export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** A process with its children, and theirs. */
export function familyOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(familyOf)];
}

/** Where an executable is, or null when it is neither on PATH nor where systems keep daemons. */
export function findCommand(name: string): string | null {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  return findFile(name, [...folders, '/usr/sbin', '/usr/local/sbin'], constants.X_OK);
}

/** The first of the folders that has the file, with it. */
export function findFile(name: string, folders: readonly string[], mode: number = constants.R_OK): string | null {
  const files = folders.map((folder) => path.join(folder, name));
  return files.find((file) => isAccessible(file, mode)) ?? null;
}

function isAccessible(file: string, mode: number): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch {
    return false;
  }
}
