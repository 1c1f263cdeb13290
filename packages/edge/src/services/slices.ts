/**
 * Work that takes longer than a moment and has to be done on the thread that serves everybody: one slice in each turn of
 * the loop, whoever waits. Endpoints take turns, and the addresses within one, so that a body that is hard to search
 * delays others like it and nobody else.
 */
import type { Asker, Slices } from '@postern/policy';
import { Turns } from './turns.ts';

interface Work {
  readonly asker: Asker;
  readonly step: () => boolean;
  readonly signal: AbortSignal;
  readonly done: (result: 'done' | 'over') => void;
  readonly failed: (error: unknown) => void;
}

/** Each holds what it works on. */
const PLACES = { all: 256, perEndpoint: 64, perAddress: 32 };

export class SlicedWork implements Slices {
  readonly #turns = new Turns<Work>(PLACES);
  #awake = false;

  run(asker: Asker, step: () => boolean, signal: AbortSignal): Promise<'done' | 'busy' | 'over'> {
    return new Promise((resolve, reject) => {
      const work: Work = { asker, step, signal, done: resolve, failed: reject };
      if (this.#wait(work)) this.#wake();
      else resolve('busy');
    });
  }

  #wait(work: Work): boolean {
    return this.#turns.push(work.asker.endpoint, work.asker.address, work);
  }

  #wake(): void {
    if (this.#awake) return;
    this.#awake = true;
    setImmediate(() => {
      this.#awake = false;
      this.#slice();
      if (this.#turns.waiting > 0) this.#wake();
    });
  }

  #slice(): void {
    let work = this.#turns.next();
    while (work?.signal.aborted === true) {
      work.done('over');
      work = this.#turns.next();
    }
    if (work === null) return;
    try {
      if (work.step()) work.done('done');
      // It had a place until now, and nobody has come since.
      else this.#wait(work);
    } catch (error) {
      work.failed(error);
    }
  }
}
