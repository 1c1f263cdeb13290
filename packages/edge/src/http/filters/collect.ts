/** Keeps a short body back until all of it is there, for those who have to see it before anybody else does. */
import type { BodyFilter } from '@postern/policy';
import { Pieces } from '../exchange/pieces.ts';

export class Collect implements BodyFilter {
  readonly #done: (body: Buffer) => void;
  readonly #pieces = new Pieces();
  #over = false;

  /** @param done called once, unless it is destroyed before; the length of the body has been judged by its head */
  constructor(done: (body: Buffer) => void) {
    this.#done = done;
  }

  body(chunk: Buffer, start: number, end: number): boolean {
    if (!this.#over) this.#pieces.add(chunk, start, end);
    return true;
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#done(Buffer.concat(this.#pieces.take()));
  }

  resume(): void {
    // It never says that it is full.
  }

  destroy(): void {
    this.#over = true;
  }
}
