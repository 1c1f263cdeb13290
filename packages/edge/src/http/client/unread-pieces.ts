/** A link whose visitor leaves more than these unread gets no more for now; each costs about 110 bytes. */
const MOST = 32_768;

/**
 * Pieces of answers that wait in the runtime, on streams whose visitors do not read. It keeps a buffer for each DATA frame,
 * however little is in it, and how large they are is the service's choice: a window of bytes does not bound that.
 */
export class UnreadPieces {
  readonly #onRelief: () => void;
  /** By stream id. */
  readonly #streams = new Map<number, number>();
  #all = 0;

  /** @param onRelief they are not too many any more */
  constructor(onRelief: () => void) {
    this.#onRelief = onRelief;
  }

  get tooMany(): boolean {
    return this.#all > MOST;
  }

  /** The stream is not read for now: from here on its pieces count. */
  waits(id: number | undefined): void {
    if (id !== undefined && !this.#streams.has(id)) this.#streams.set(id, 0);
  }

  came(id: number): void {
    if (this.#streams.size > 0) this.#add(id, 1);
  }

  taken(id: number | undefined): void {
    if (id !== undefined && this.#streams.size > 0 && this.#streams.get(id) !== 0) this.#add(id, -1);
  }

  /** The stream is over. */
  forget(id: number | undefined): void {
    if (id === undefined) return;
    this.#add(id, -(this.#streams.get(id) ?? 0));
    this.#streams.delete(id);
  }

  #add(id: number, count: number): void {
    const before = this.#streams.get(id);
    if (before === undefined) return;
    const had = this.tooMany;
    this.#streams.set(id, before + count);
    this.#all += count;
    if (had && !this.tooMany) this.#onRelief();
  }
}
