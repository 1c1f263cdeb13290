import type { TrafficEvent } from '@postern/link';
import { Histogram, type HistogramSums } from './exposition.ts';

export const STATUS_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;
/** Seconds. */
const DURATION_BOUNDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60];

/** Plain data, since the start. */
export interface TrafficSums {
  /** Exchanges by class of their status, as {@link STATUS_CLASSES}. */
  readonly requests: readonly number[];
  readonly durations: HistogramSums;
  /** Failures told to visitors by code; the codes are those of the error table. */
  readonly errors: ReadonlyMap<string, number>;
  readonly tcp: number;
  readonly tls: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Finished exchanges and connections, in numbers. */
export class TrafficCounts {
  readonly #requests: number[] = STATUS_CLASSES.map(() => 0);
  readonly durations = new Histogram(DURATION_BOUNDS);
  readonly #errors = new Map<string, number>();
  #tcp = 0;
  #tls = 0;
  #bytesIn = 0;
  #bytesOut = 0;

  /** Called for every exchange and connection that has ended. */
  observe(event: TrafficEvent): void {
    this.#bytesIn += event.bytesIn;
    this.#bytesOut += event.bytesOut;
    if (event.errorCode !== '') this.#failed(event.errorCode, 1);
    if (event.kind === 'http') {
      const index = Math.floor(event.status / 100);
      this.#requests[index] = (this.#requests[index] ?? 0) + 1;
      this.durations.observe(event.durationMs / 1000);
    } else if (event.kind === 'tcp') {
      this.#tcp += 1;
    } else {
      this.#tls += 1;
    }
  }

  get sums(): TrafficSums {
    return {
      requests: [...this.#requests],
      durations: this.durations.sums,
      errors: new Map(this.#errors),
      tcp: this.#tcp,
      tls: this.#tls,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
    };
  }

  /** What somebody else has counted. */
  add(sums: TrafficSums): this {
    for (const [index, count] of sums.requests.entries()) this.#requests[index] = (this.#requests[index] ?? 0) + count;
    this.durations.add(sums.durations);
    for (const [code, count] of sums.errors) this.#failed(code, count);
    this.#tcp += sums.tcp;
    this.#tls += sums.tls;
    this.#bytesIn += sums.bytesIn;
    this.#bytesOut += sums.bytesOut;
    return this;
  }

  #failed(code: string, count: number): void {
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + count);
  }
}
