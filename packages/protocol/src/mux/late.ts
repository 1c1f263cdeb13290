/** What may lawfully come for a stream that is over on our side: it was on its way, or answers what was. */

/** What a frame costs at least: tiny ones are not cheap because their bytes are few. */
const LEAST = 1_024;
const MOST = 64 * 1024 * 1024;

/** Bytes that a peer may have sent to streams before it heard that we had reset them. */
export class LateBytes {
  #left = 0;

  /** @param bytes that the stream's window still allowed */
  expect(bytes: number): void {
    this.#left = Math.min(MOST, this.#left + bytes);
  }

  /** @returns whether a frame of so many was to be expected */
  take(length: number): boolean {
    const price = Math.max(length, LEAST);
    if (price > this.#left) return false;
    this.#left -= price;
    return true;
  }
}

/** Bytes that left on streams which are over by now and that the peer has not given credit for yet. */
export class LateCredit {
  #left = 0;

  expect(bytes: number): void {
    this.#left += bytes;
  }

  /**
   * A reader that goes on behind the end of its stream grants what it reads, in pieces as small as it likes.
   * @returns whether as much was to be expected
   */
  take(increment: number): boolean {
    const expected = increment <= this.#left;
    this.#left = Math.max(0, this.#left - increment);
    return expected;
  }
}
