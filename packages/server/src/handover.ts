import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { isAlive, readRuntime } from './runtime-file.ts';
import { folderOfWorkers } from './workers/folder.ts';

/** Who has a data directory. */
export interface Holder {
  readonly pid: number;
  /** A holder who is stopping gives everything away to whoever comes. */
  readonly state: 'running' | 'stopping';
}

/** One who leaves finishes the calls of his API first; one who runs may have been told to leave this very moment. */
const PATIENCE_MS = { stopping: 15_000, running: 1_000 } as const;
/** Workers of one who was killed have his addresses until they have seen it. */
const ORPHANS_PATIENCE_MS = 10_000;
const RETRY_MS = 40;
const LOOK_MS = 100;

/**
 * How a data directory and its addresses pass from one server to the next. The lock of the database says who may write;
 * this says, in a small file beside it, whether he is leaving, so that the next one knows whether to wait, and he whether
 * a next one is there. The file may be stale, and nothing but patience depends on it.
 */
export class Handover {
  readonly #dataDir: string;
  readonly #file: string;
  readonly #pid: number;
  /** When this server first found something taken. */
  #since: number | null = null;
  #sawHolder = false;
  /** Whom the lock came from: he may hold addresses until he has seen us. */
  #predecessor: Holder | null = null;

  constructor(dataDir: string, pid: number = process.pid) {
    this.#dataDir = dataDir;
    this.#file = path.join(dataDir, 'holder.json');
    this.#pid = pid;
  }

  /** The other server that has the data directory; null when there is none. */
  holder(): Holder | null {
    const found = this.#read();
    const holder = found?.pid === this.#pid ? this.#predecessor : found;
    return holder === null || !isAlive(holder.pid) ? null : holder;
  }

  /**
   * Called when an address or the lock is taken: waits a moment.
   * @returns whether it is worth trying again, as the one who has it is leaving or has just left
   */
  async yields(): Promise<boolean> {
    const now = performance.now();
    this.#since ??= now;
    const holder = this.holder();
    // Whoever was there and is gone has left everything behind; one more try shows it.
    const orphans = holder === null && this.#hasOrphans();
    if (holder === null && !this.#sawHolder && !orphans) return false;
    this.#sawHolder = holder !== null;
    const patience = orphans ? ORPHANS_PATIENCE_MS : PATIENCE_MS[holder?.state ?? 'stopping'];
    if (now - this.#since > patience) return false;
    await pause(RETRY_MS);
    return true;
  }

  /** Who was here has left the folder of his workers, as he was killed. */
  #hasOrphans(): boolean {
    const pid = this.#read()?.pid;
    return pid !== undefined && existsSync(folderOfWorkers(this.#dataDir, pid));
  }

  /** The lock is ours. */
  take(): void {
    const before = this.holder();
    this.#predecessor = before === null ? null : { pid: before.pid, state: 'stopping' };
    this.#write('running');
    this.#since = null;
  }

  /** The stop begins. */
  leave(): void {
    this.#write('stopping');
  }

  /** Follows, from {@link leave} on, whether somebody comes after us. */
  watch(): Succession {
    const came = Promise.withResolvers<void>();
    const ready = Promise.withResolvers<void>();
    const timer = setInterval(() => void this.#look(came.resolve, ready.resolve), LOOK_MS);
    return { came: came.promise, ready: ready.promise, end: () => clearInterval(timer) };
  }

  async #look(onCame: () => void, onReady: () => void): Promise<void> {
    const next = this.#read();
    if (next === null || next.pid === this.#pid) return;
    onCame();
    const runtime = await readRuntime(this.#dataDir);
    if (runtime !== null && runtime.pid !== this.#pid) onReady();
  }

  #read(): Holder | null {
    try {
      const value: unknown = JSON.parse(readFileSync(this.#file, 'utf8'));
      if (typeof value !== 'object' || value === null || !('pid' in value) || !('state' in value)) return null;
      const { pid, state } = value;
      return typeof pid === 'number' && (state === 'running' || state === 'stopping') ? { pid, state } : null;
    } catch {
      return null;
    }
  }

  /** Synchronously, as the first thing of a stop; a disk that takes nothing costs the next server its patience. */
  #write(state: Holder['state']): void {
    const temporary = `${this.#file}.${this.#pid}`;
    try {
      writeFileSync(temporary, `${JSON.stringify({ pid: this.#pid, state })}\n`, { mode: 0o600 });
      renameSync(temporary, this.#file);
    } catch {
      // Then the next one is refused while this one drains.
    }
  }
}

/** What a server that stops learns of the one after it. */
export interface Succession {
  /** It has the data directory, and wants the addresses. */
  readonly came: Promise<void>;
  /** It serves. */
  readonly ready: Promise<void>;
  end(): void;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
