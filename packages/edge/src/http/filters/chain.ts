/**
 * Filters behind each other as one: bytes go from each to the next by direct calls, and who is full stops who is before it.
 */
import type { BodyFilter, FilterMaker, FilterOutput } from '@postern/policy';
import type { Guard } from '../../guard.ts';

export class FilterChain implements BodyFilter {
  readonly #filters: BodyFilter[];
  readonly #output: FilterOutput;
  readonly #guard: Guard;
  #ended = false;
  #over = false;

  /**
   * @param makers in the order in which bytes pass them
   * @param live as `FilterMaker.make`
   * @param output told nothing any more after `end`, `failed` or `destroy`
   * @param guard of the connection: filters tell by callbacks of their own
   */
  constructor(makers: readonly FilterMaker[], live: boolean, output: FilterOutput, guard: Guard) {
    this.#output = output;
    this.#guard = guard;
    this.#filters = makers.map((maker, at) => maker.make(this.#behind(at), live));
  }

  /** Nothing comes out any more. */
  get over(): boolean {
    return this.#over;
  }

  /** Copies what it keeps. @returns false when the source should wait for `drained` of the output */
  body(chunk: Buffer, start: number, end: number): boolean {
    return this.#over || (this.#filters[0]?.body(chunk, start, end) ?? true);
  }

  end(): void {
    if (this.#ended || this.#over) return;
    this.#ended = true;
    this.#filters[0]?.end();
  }

  resume(): void {
    if (!this.#over) this.#filters.at(-1)?.resume();
  }

  destroy(): void {
    this.#over = true;
    for (const filter of this.#filters) filter.destroy();
  }

  /** What stands behind the filter at this place. */
  #behind(at: number): FilterOutput {
    const next = (): FilterOutput | BodyFilter => this.#filters[at + 1] ?? this.#output;
    return {
      body: (chunk, start, end) => {
        if (this.#over) return true;
        try {
          return next().body(chunk, start, end);
        } catch (error) {
          this.#guard.fault(error);
          return true;
        }
      },
      end: () => {
        if (this.#over) return;
        const to = next();
        this.#over = to === this.#output;
        this.#guard.run(() => to.end());
      },
      drained: () => {
        if (this.#over) return;
        const before = this.#filters[at - 1];
        this.#guard.run(() => (before === undefined ? this.#output.drained() : before.resume()));
      },
      failed: (error) => {
        if (this.#over) return;
        this.destroy();
        this.#guard.run(() => this.#output.failed(error));
      },
    };
  }
}
