/** A disk that fails when told to, for tests: shared memory, so that orders reach the worker at once. */
import { SQLITE, SQLITE_IOERR_FSYNC, SQLITE_IOERR_WRITE } from './driver.ts';

export interface Fault {
  /** What the operating system would have said. */
  readonly code: 'ENOSPC' | 'EIO';
  /** `write`: with the first row; `fsync`: with the commit, when all rows are written. */
  readonly at: 'write' | 'fsync';
}

const ENDLESS = 2 ** 31 - 1;
const REMAINING = 0;
const CODE = 1;
const AT = 2;

export class StoreFaults {
  readonly memory = new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT);
  readonly #cells = new Int32Array(this.memory);

  /** The next `count` transactions fail, the store's own probes among them. */
  failNext(count: number, fault: Fault): void {
    Atomics.store(this.#cells, CODE, fault.code === 'ENOSPC' ? 1 : 0);
    Atomics.store(this.#cells, AT, fault.at === 'fsync' ? 1 : 0);
    Atomics.store(this.#cells, REMAINING, count);
  }

  failUntilCleared(fault: Fault): void {
    this.failNext(ENDLESS, fault);
  }

  clear(): void {
    Atomics.store(this.#cells, REMAINING, 0);
  }
}

/** Throws what SQLite would throw, if a fault is due at this point. */
export function faultPoint(cells: Int32Array | null, at: Fault['at']): void {
  if (cells === null || Atomics.load(cells, REMAINING) <= 0) return;
  if ((Atomics.load(cells, AT) === 1) !== (at === 'fsync')) return;
  Atomics.sub(cells, REMAINING, 1);
  if (Atomics.load(cells, CODE) === 1) throw new InjectedFault(SQLITE.full, 'database or disk is full');
  throw new InjectedFault(at === 'fsync' ? SQLITE_IOERR_FSYNC : SQLITE_IOERR_WRITE, 'disk I/O error');
}

class InjectedFault extends Error {
  override readonly name = 'InjectedFault';
  readonly errcode: number;
  constructor(errcode: number, message: string) {
    super(message);
    this.errcode = errcode;
  }
}
