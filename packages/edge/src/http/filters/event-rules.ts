/**
 * Rules over each message of an event stream, on its way to the visitor. A message leaves when it is complete and its rules
 * have run; messages that need much work wait for their turns, and the service with them. What rules cannot judge is not
 * let through: the stream is cut.
 */
import {
  EventBlocks,
  type BodyFilter,
  type EventBlock,
  type FilterMaker,
  type FilterOutput,
  type Outcome,
} from '@postern/policy';
import { Pieces } from '../exchange/pieces.ts';

/** Bytes of one message, as it comes and as it becomes. */
export const LARGEST_MESSAGE = 1024 * 1024;

/** Whoever runs the rules. */
export interface MessageRules {
  /** @returns `continue` when the message may go on */
  judge(block: EventBlock): Outcome | Promise<Outcome>;
  /** Whether more work may be done before others have had a turn. */
  readonly rested: boolean;
  /** Calls when it is so again. */
  rest(then: () => void): void;
  reserve(bytes: number): boolean;
  /** All that was reserved. */
  giveBack(): void;
  warn(reason: string): void;
  fault(error: unknown): void;
}

export function eventRules(rules: () => MessageRules): FilterMaker {
  return { keepsLength: false, make: (output) => new EventRules(rules(), output) };
}

class EventRules implements BodyFilter {
  readonly #rules: MessageRules;
  readonly #output: FilterOutput;
  readonly #blocks: EventBlocks;
  /** What has come behind a message that is being judged. */
  readonly #waiting = new Pieces();
  /** The message that was taken apart last; null = it has gone. */
  #block: EventBlock | null = null;
  #busy = false;
  #blocked = false;
  #ended = false;
  #over = false;

  constructor(rules: MessageRules, output: FilterOutput) {
    this.#rules = rules;
    this.#output = output;
    this.#blocks = new EventBlocks(
      {
        between: (bytes, start, end) => this.#pass(bytes, start, end),
        message: (block) => (this.#block = block),
      },
      LARGEST_MESSAGE,
      (bytes) => rules.reserve(bytes),
    );
  }

  body(chunk: Buffer, start: number, end: number): boolean {
    if (this.#over) return true;
    const stopped = this.#busy ? start : this.#work(chunk, start, end);
    if (stopped < end && !this.#over) this.#waiting.add(chunk, stopped, end);
    return this.#over || (!this.#busy && !this.#blocked);
  }

  end(): void {
    this.#ended = true;
    if (!this.#busy) this.#finish();
  }

  resume(): void {
    this.#blocked = false;
    if (!this.#busy && !this.#over) this.#output.drained();
  }

  destroy(): void {
    this.#over = true;
    this.#waiting.take();
    this.#block = null;
    this.#rules.giveBack();
  }

  /** @returns how far it has come: less than all when a message has to wait */
  #work(chunk: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && !this.#busy && !this.#over) {
      const next = this.#blocks.take(chunk, at, end);
      if (next === -1) {
        this.#fail(`a message has more than ${LARGEST_MESSAGE} bytes, or there is no memory for it`);
        return end;
      }
      at = next;
      this.#judge();
    }
    return at;
  }

  /** The message that is complete, if there is one. */
  #judge(): void {
    const block = this.#block;
    if (block === null) return;
    const outcome = this.#rules.judge(block);
    if (!(outcome instanceof Promise)) return this.#judged(block, outcome);
    this.#busy = true;
    outcome.then(
      (settled) => this.#goOn(() => this.#judged(block, settled)),
      (error: unknown) => this.#rules.fault(error),
    );
  }

  #judged(block: EventBlock, outcome: Outcome): void {
    if (outcome.kind !== 'continue') {
      const reason = outcome.kind === 'error' ? outcome.error.message : `its rules ended in ${outcome.kind}`;
      return this.#fail(reason);
    }
    this.#block = null;
    for (const part of block.parts) this.#pass(part, 0, part.length);
    this.#rules.giveBack();
    if (this.#rules.rested || this.#over) return;
    this.#busy = true;
    this.#rules.rest(() => this.#goOn(() => {}));
  }

  /** What was waited for is there. */
  #goOn(first: () => void): void {
    if (this.#over) return;
    this.#busy = false;
    first();
    const parts = this.#busy || this.#over ? [] : this.#waiting.take();
    for (const part of parts) {
      const stopped = this.#busy ? 0 : this.#work(part, 0, part.length);
      if (this.#over) return;
      if (stopped < part.length) this.#waiting.add(part, stopped, part.length);
    }
    if (this.#busy || this.#over) return;
    if (this.#ended) this.#finish();
    else if (!this.#blocked) this.#output.drained();
  }

  #finish(): void {
    if (this.#over) return;
    this.#blocks.end();
    this.#judge();
    if (this.#busy || this.#over) return;
    this.destroy();
    this.#output.end();
  }

  #pass(bytes: Buffer, start: number, end: number): void {
    if (start < end && !this.#output.body(bytes, start, end)) this.#blocked = true;
  }

  #fail(reason: string): void {
    this.destroy();
    this.#rules.warn(`an event stream was cut: ${reason}`);
    this.#output.failed(new Error(reason));
  }
}
