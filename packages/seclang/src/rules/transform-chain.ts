/** Transformations in a row. Rules that begin with the same ones share what these make of a value. */
import { Mistake } from '../syntax/problem.ts';
import { TRANSFORMATIONS, type Transformation } from '../transformations/index.ts';

export interface TransformChain {
  /** Its place among all prefixes; 0 = no transformation. */
  readonly index: number;
  readonly parent: TransformChain | null;
  readonly transform: Transformation;
}

export class TransformChains {
  readonly none: TransformChain = { index: 0, parent: null, transform: (text) => text };
  readonly #behind = new Map<string, TransformChain>();

  get size(): number {
    return this.#behind.size + 1;
  }

  /** @throws Mistake */
  of(names: readonly string[]): TransformChain {
    let chain = this.none;
    for (const name of names) {
      const lower = name.toLowerCase();
      if (lower === 'none') {
        chain = this.none;
        continue;
      }
      const transform = TRANSFORMATIONS.get(lower);
      if (transform === undefined) throw new Mistake(`"t:${name}" is no transformation`);
      const key = `${chain.index} ${lower}`;
      let next = this.#behind.get(key);
      if (next === undefined) {
        next = { index: this.size, parent: chain, transform };
        this.#behind.set(key, next);
      }
      chain = next;
    }
    return chain;
  }
}
