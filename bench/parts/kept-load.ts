/**
 * The load of connections that stay: everything connects, `ready` is printed, a line on the input begins it, and each of
 * the connections asks again as soon as it is answered, until the time is up (or enough are answered) and nothing is under
 * way.
 */
import process from 'node:process';
import type { LoadOrder } from '../load.ts';
import { tellLoad } from './tell-load.ts';

export class KeptLoad {
  readonly order: LoadOrder;
  readonly #latencies: number[] = [];
  #errors = 0;
  #running = true;
  #inFlight = 0;
  #startedAt = 0n;

  constructor(order: LoadOrder) {
    this.order = order;
  }

  /** It is not over: who is answered asks again. */
  get running(): boolean {
    return this.#running;
  }

  /** @param sentAt `process.hrtime.bigint()` of what is answered now */
  answered(sentAt: bigint): void {
    this.#latencies.push(Number(process.hrtime.bigint() - sentAt) / 1_000);
    if (this.#latencies.length === this.order.requests) this.#running = false;
  }

  failed(): void {
    this.#errors += 1;
  }

  began(): void {
    this.#inFlight += 1;
  }

  /** One that began asks no more. */
  ended(): void {
    this.#inFlight -= 1;
    this.#finishWhenQuiet();
  }

  /** @param begin has every connection ask for the first time */
  run(begin: () => void): void {
    console.log('ready');
    process.stdin.once('data', () => {
      this.#startedAt = process.hrtime.bigint();
      begin();
      setTimeout(() => {
        this.#running = false;
        this.#finishWhenQuiet();
      }, this.order.seconds * 1_000);
    });
  }

  #finishWhenQuiet(): void {
    if (this.#inFlight === 0) tellLoad(this.#latencies, this.#errors, this.#startedAt);
  }
}
