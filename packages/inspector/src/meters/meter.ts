/** Things that happen: how many, and how often a second over the last 1, 5 and 15 minutes (moving averages, as of load). */
const TICK_MS = 5_000;
const WINDOWS_S = [60, 300, 900] as const;

export class Meter {
  readonly #now: () => number;
  readonly #rates = [0, 0, 0];
  #count = 0;
  #uncounted = 0;
  #tickAt: number;
  #fresh = true;

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now;
    this.#tickAt = now() + TICK_MS;
  }

  get count(): number {
    return this.#count;
  }

  mark(): void {
    this.#count += 1;
    this.#uncounted += 1;
  }

  /** Per second. No timer runs: ticks that have passed are made up for when somebody asks. */
  rates(): readonly [one: number, five: number, fifteen: number] {
    // After an hour of silence nothing is left to average.
    for (let left = 720; this.#tickAt <= this.#now() && left > 0; left--) this.#tick();
    if (this.#tickAt <= this.#now()) this.#tickAt = this.#now() + TICK_MS;
    const [one = 0, five = 0, fifteen = 0] = this.#rates;
    return [one, five, fifteen];
  }

  #tick(): void {
    const current = (this.#uncounted * 1000) / TICK_MS;
    this.#uncounted = 0;
    this.#tickAt += TICK_MS;
    WINDOWS_S.forEach((window, at) => {
      const weight = 1 - Math.exp(-TICK_MS / 1000 / window);
      const rate = this.#rates[at] ?? 0;
      this.#rates[at] = this.#fresh ? current : rate + weight * (current - rate);
    });
    this.#fresh = false;
  }
}

const KEPT = 1_024;

/** The last 1,024 durations. */
export class Durations {
  /** Milliseconds. */
  readonly #values = new Float64Array(KEPT);
  #next = 0;
  #size = 0;

  add(milliseconds: number): void {
    this.#values[this.#next] = milliseconds;
    this.#next = (this.#next + 1) % KEPT;
    this.#size = Math.min(KEPT, this.#size + 1);
  }

  /** @returns milliseconds below which this share of them was; 0 without any */
  quantiles(shares: readonly number[]): readonly number[] {
    const sorted = this.#values.slice(0, this.#size).toSorted();
    return shares.map((share) => sorted[Math.min(this.#size - 1, Math.floor(share * this.#size))] ?? 0);
  }
}
