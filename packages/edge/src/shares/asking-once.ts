/**
 * An edge's side of what is done once for all edges. The keeper has the first that asks do it, and gives what comes of it to
 * all who ask for the same meanwhile, and for as long as it is worth remembering.
 */
import { Once } from '../services/once.ts';
import type { Done, OnceKind, ShareChannel } from './shares.ts';

export class AskingOnce {
  readonly #channel: ShareChannel;
  readonly #kind: OnceKind;
  /** Requests of this edge ask together. */
  readonly #own: Once;
  readonly #works = new Map<string, () => Promise<Done>>();

  /** @param most under way at once here */
  constructor(channel: ShareChannel, kind: OnceKind, now: () => number, most: number) {
    this.#channel = channel;
    this.#kind = kind;
    this.#own = new Once(now, most);
  }

  /** @param work of which plain data come @param keptMs as `Once.do` has it */
  do<T>(key: string, work: () => Promise<T>, keptMs: (result: T) => number): Promise<T> {
    return this.#own.do(key, () => this.#ask(key, work, keptMs), forgotten);
  }

  /** It is for this edge to do it. */
  work(key: string): Promise<Done> {
    const work = this.#works.get(key);
    if (work === undefined) return Promise.reject(new Error('nobody asks for it here'));
    return work();
  }

  async #ask<T>(key: string, work: () => Promise<T>, keptMs: (result: T) => number): Promise<T> {
    this.#works.set(key, async () => {
      const result = await work();
      return { result, keptMs: keptMs(result) };
    });
    try {
      // What comes of a key is what its work answers, at every edge.
      // oxlint-disable-next-line no-unsafe-type-assertion
      return (await this.#channel.once(this.#kind, key)).result as T;
    } finally {
      this.#works.delete(key);
    }
  }
}

/** The keeper remembers. */
function forgotten(): number {
  return 0;
}
