import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Long work on the thread that serves traffic, a slice at a time. However many do such work at once, one slice is done
 * between two turns of the event loop, so that traffic waits for one slice and never for all of them.
 */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves when the caller may do its next slice; in the order in which they came. */
  next(): Promise<void> {
    this.#last = this.#last.then(() => nextTurn());
    return this.#last;
  }
}
