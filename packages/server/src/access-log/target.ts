/** Where lines of the access log go: a file, or standard output. */
import fs from 'node:fs';
import { open } from 'node:fs/promises';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';

export interface LineTarget {
  /** Resolves when all of it is there; rejects when it cannot be. Called again only then. */
  write(bytes: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** A pipe that is full is tried again so often. */
const FULL_MS = 50;
/**
 * To append, so that two servers that change places write to one file. Without blocking, so that a pipe without a reader
 * refuses the start instead of holding it, and one that is full holds no thread.
 */
const { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } = fs.constants;

/** @throws Error of the system */
export async function openFile(file: string): Promise<LineTarget> {
  const handle = await open(file, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o640);
  return new AllOfIt(
    (bytes, from) => handle.write(bytes, from),
    () => handle.close(),
  );
}

/** A pipe is opened once more, so that whoever has the other end of it keeps the way he uses it. */
export async function standardOutput(): Promise<LineTarget> {
  const { fd } = process.stdout;
  if (fs.fstatSync(fd).isFIFO()) {
    const pipe = await openFile('/dev/stdout').catch(() => null);
    if (pipe !== null) return pipe;
  }
  const write = promisify(fs.write);
  return new AllOfIt(
    (bytes, from) => write(fd, bytes, from, bytes.length - from, null),
    () => Promise.resolve(),
  );
}

type Write = (bytes: Buffer, from: number) => Promise<{ readonly bytesWritten: number }>;

/** Systems write as much as they like of what they are given. */
class AllOfIt implements LineTarget {
  readonly #write: Write;
  readonly #close: () => Promise<void>;
  #closed = false;

  constructor(write: Write, close: () => Promise<void>) {
    this.#write = write;
    this.#close = close;
  }

  async write(bytes: Buffer): Promise<void> {
    for (let from = 0; from < bytes.length;) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- each goes on where the last one stopped
        const { bytesWritten } = await this.#write(bytes, from);
        from += bytesWritten;
      } catch (error) {
        if (!isFull(error) || this.#closed) throw error;
        // oxlint-disable-next-line no-await-in-loop -- until there is room
        await setTimeout(FULL_MS);
      }
    }
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.#close();
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN';
}
