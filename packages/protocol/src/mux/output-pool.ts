/**
 * Buffers for outgoing bytes, shared by all sessions of the process: a session holds one only while its transport is
 * writing, and one while frames wait for that, so a thousand idle sessions hold none.
 */

/** One pull of a session; eight TLS records (docs/performance.md). */
export const OUTPUT_BYTES = 131_072;
/** A pull smaller than this could not carry an opening frame. */
export const SMALLEST_PULL = 512;
/** More than this many wait for reuse only after a burst; the rest is left to the collector. */
const KEPT = 64;

const spare: Buffer[] = [];

export function takeOutputBuffer(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(OUTPUT_BYTES);
}

export function returnOutputBuffer(buffer: Buffer): void {
  if (spare.length < KEPT) spare.push(buffer);
}

/** Buffers that are with a transport. */
export class LentBuffers {
  readonly #lent: Buffer[] = [];

  add(buffer: Buffer): void {
    this.#lent.push(buffer);
  }

  /** @param view of one of them; others are ignored */
  giveBack(view: Buffer): void {
    for (let at = 0; at < this.#lent.length; at++) {
      const lent = this.#lent[at];
      if (lent === undefined || lent.buffer !== view.buffer) continue;
      this.#lent.splice(at, 1);
      returnOutputBuffer(lent);
      return;
    }
  }
}
