import { Durations, Meter } from './meter.ts';

/** As the local API shows it; durations in nanoseconds, as the v3 agent gives them. */
export interface MetricsView {
  readonly count: number;
  readonly rate1: number;
  readonly rate5: number;
  readonly rate15: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
}

export interface TunnelMetricsView {
  readonly conns: MetricsView & { readonly gauge: number };
  readonly http: MetricsView;
}

const NANOSECONDS = 1_000_000;

/** Connections and requests of one tunnel, or of all. */
export class TunnelMeters {
  readonly #connections: Meter;
  readonly #connectionTimes = new Durations();
  readonly #requests: Meter;
  readonly #requestTimes = new Durations();
  #open = 0;

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.#connections = new Meter(now);
    this.#requests = new Meter(now);
  }

  opened(): void {
    this.#open += 1;
    this.#connections.mark();
  }

  closed(milliseconds: number): void {
    this.#open -= 1;
    this.#connectionTimes.add(milliseconds);
  }

  requested(milliseconds: number): void {
    this.#requests.mark();
    this.#requestTimes.add(milliseconds);
  }

  view(): TunnelMetricsView {
    return {
      conns: { ...view(this.#connections, this.#connectionTimes), gauge: this.#open },
      http: view(this.#requests, this.#requestTimes),
    };
  }
}

function view(meter: Meter, times: Durations): MetricsView {
  const [rate1, rate5, rate15] = meter.rates();
  const [p50 = 0, p90 = 0, p95 = 0, p99 = 0] = times
    .quantiles([0.5, 0.9, 0.95, 0.99])
    .map((milliseconds) => Math.round(milliseconds * NANOSECONDS));
  return { count: meter.count, rate1, rate5, rate15, p50, p90, p95, p99 };
}
