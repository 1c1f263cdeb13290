/** The body of an answer that a policy reads before the visitor sees any of it: what comes is held, then given in order. */
import type { BodyFilter, BodySink } from '@postern/policy';
import type { HeldBody } from './held-body.ts';

export class HeldAnswer implements BodyFilter {
  readonly held: HeldBody;
  /** All of it has come. */
  ended = false;
  #to: BodySink | null = null;
  #given: (() => void) | null = null;

  constructor(held: HeldBody) {
    this.held = held;
  }

  body(chunk: Buffer, start: number, end: number): boolean {
    // It pauses the upstream by itself.
    this.held.keep(chunk, start, end);
    return true;
  }

  end(): void {
    this.ended = true;
    this.held.ended();
  }

  /**
   * The head has gone to the visitor.
   * @param given called once, when `to` has all that was held: what comes then is not for here
   */
  giveTo(to: BodySink, given: () => void): void {
    this.#to = to;
    this.#given = given;
    this.resume();
  }

  resume(): void {
    const to = this.#to;
    if (to === null || !this.held.give(to)) return;
    const given = this.#given;
    this.destroy();
    given?.();
  }

  destroy(): void {
    this.#to = null;
    this.#given = null;
    this.held.release();
  }
}
