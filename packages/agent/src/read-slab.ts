/** Bytes per slab, and what must be free in it for another read: one TLS record at least. */
const SLAB_BYTES = 262_144;
const ROOM = 32_768;

/**
 * The memory that the mux socket reads into (docs/performance.md): the same place again and again, as long as nobody keeps
 * what was read; whoever hands a view to a socket that has not written it yet says {@link hold}, and the next read goes
 * behind it, or into a new slab.
 */
export class ReadSlab {
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #offset = 0;
  #held = false;

  /** The views given out since the last read will be used after the callback. */
  hold(): void {
    this.#held = true;
  }

  /** `length` bytes have been read and passed on. */
  passed(length: number): void {
    if (!this.#held) return;
    this.#held = false;
    this.#offset += length;
    if (SLAB_BYTES - this.#offset < ROOM) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#offset = 0;
    }
  }

  /** Where the next read goes. */
  readonly next = (): Buffer => this.#slab.subarray(this.#offset);
}
