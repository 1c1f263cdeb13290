/**
 * Buffers for outgoing bytes, shared by all sessions of the process: a session holds one only while its transport is
 * writing, and one while frames wait for that, so a thousand idle sessions hold none.
 */

/** One pull of a session; eight TLS records (docs/performance.md). */
export const OUTPUT_BYTES = 131_072;
/** A pull smaller than this could not carry an opening frame. */
export const SMALLEST_PULL = 512;
/**
 * For one small frame. A thousand idle sessions whose beats are due in the same moment would otherwise hold 128 MiB for
 * it, which V8 counts and collects for.
 */
export const SMALL_BYTES = 4_096;
/** More than this wait for reuse only after a burst; the rest is left to the collector. */
const KEPT_BYTES = 8 * 1024 * 1024;

const spare: Buffer[] = [];
const spareSmall: Buffer[] = [];

/** @param small whether {@link SMALL_BYTES} are enough */
export function takeOutputBuffer(small = false): Buffer {
  if (small) return spareSmall.pop() ?? Buffer.allocUnsafeSlow(SMALL_BYTES);
  return spare.pop() ?? Buffer.allocUnsafeSlow(OUTPUT_BYTES);
}

export function returnOutputBuffer(buffer: Buffer): void {
  const pool = buffer.length === SMALL_BYTES ? spareSmall : spare;
  if (pool.length * buffer.length < KEPT_BYTES) pool.push(buffer);
}

/** Buffers that are with a transport: one, where writes are made one at a time. */
export class LentBuffers {
  #one: Buffer | null = null;
  #others: Buffer[] | null = null;

  add(buffer: Buffer): void {
    if (this.#one === null) this.#one = buffer;
    else (this.#others ??= []).push(buffer);
  }

  /** @param view of one of them; others are ignored */
  giveBack(view: Buffer): void {
    if (this.#one?.buffer === view.buffer) {
      returnOutputBuffer(this.#one);
      this.#one = null;
      return;
    }
    const at = this.#others?.findIndex(({ buffer }) => buffer === view.buffer) ?? -1;
    for (const lent of at < 0 ? [] : (this.#others?.splice(at, 1) ?? [])) returnOutputBuffer(lent);
  }
}
