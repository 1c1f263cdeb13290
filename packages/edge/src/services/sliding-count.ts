/**
 * Events of one bucket within a window that slides slice by slice. It counts the slice under way and those before it that
 * make up the window with it, so that no window that begins with a slice ever has more than the capacity.
 */
export interface SlidingWindow {
  readonly windowMs: number;
  readonly slices: number;
}

export class SlidingCount {
  /** Of all slices in the window. */
  #total = 0;
  /** Index of the slice that was looked at last; time is told by it alone. */
  #newest: number;
  /** Events by slice index; made when a second slice has some, as most buckets never come to that. */
  #ring: Uint32Array | null = null;

  constructor(now: number, window: SlidingWindow) {
    this.#newest = sliceAt(now, window);
  }

  /** As of the last time that it was asked. */
  get total(): number {
    return this.#total;
  }

  /** @returns 0 when the event was counted; else milliseconds until one may be again */
  take(now: number, capacity: number, window: SlidingWindow): number {
    const slice = Math.max(sliceAt(now, window), this.#newest);
    this.#advance(slice, window.slices);
    if (this.#total >= capacity) return this.#untilRoom(now, capacity, window);
    this.#total++;
    if (this.#ring !== null) {
      const at = slice % window.slices;
      this.#ring[at] = (this.#ring[at] ?? 0) + 1;
    }
    return 0;
  }

  /** Whether everything in it has left the window. */
  isOver(now: number, window: SlidingWindow): boolean {
    return sliceAt(now, window) - this.#newest >= window.slices;
  }

  #advance(slice: number, slices: number): void {
    if (slice - this.#newest >= slices) {
      this.#total = 0;
      this.#ring = null;
    } else if (slice > this.#newest && this.#total > 0) {
      if (this.#ring === null) {
        this.#ring = new Uint32Array(slices);
        this.#ring[this.#newest % slices] = this.#total;
      }
      for (let entered = this.#newest + 1; entered <= slice; entered++) {
        const at = entered % slices;
        this.#total -= this.#ring[at] ?? 0;
        this.#ring[at] = 0;
      }
      if (this.#total === 0) this.#ring = null;
    }
    this.#newest = slice;
  }

  /** An edit may have lowered the capacity: then more than the oldest slice has to leave. */
  #untilRoom(now: number, capacity: number, window: SlidingWindow): number {
    const { slices } = window;
    let leaving = this.#newest;
    if (this.#ring !== null) {
      let left = this.#total;
      for (leaving -= slices - 1; leaving < this.#newest; leaving++) {
        left -= this.#ring[leaving % slices] ?? 0;
        if (left < capacity) break;
      }
    }
    return Math.max(1, startOf(leaving + slices, window) - now);
  }
}

function sliceAt(now: number, { windowMs, slices }: SlidingWindow): number {
  return Math.floor((now * slices) / windowMs);
}

function startOf(slice: number, { windowMs, slices }: SlidingWindow): number {
  return Math.ceil((slice * windowMs) / slices);
}
