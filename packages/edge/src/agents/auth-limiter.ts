/**
 * Slows down addresses from which authentication keeps failing: agents with a wrong token retry for ever
 * (agent-protocol.md §4.2). Nobody is refused: whoever has a right token behind the same address only waits a little.
 */
import { networkOf } from '../places/network.ts';

const FREE_FAILURES = 20;
const WINDOW_MS = 60_000;
const STEP_MS = 250;
const MOST_MS = 5_000;
const MOST_ADDRESSES = 10_000;

/** Of this edge, or of all edges of its node. */
export interface AuthDelays {
  /** Milliseconds that the next attempt from `ip` has to wait. */
  delay(ip: string): number | Promise<number>;
  failed(ip: string): void;
  succeeded(ip: string): void;
}

export class AuthLimiter implements AuthDelays {
  readonly #now: () => number;
  /** Oldest window first. */
  readonly #failures = new Map<string, { count: number; readonly since: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  delay(ip: string): number {
    const entry = this.#failures.get(networkOf(ip));
    if (entry === undefined || this.#now() - entry.since > WINDOW_MS) return 0;
    return Math.min(MOST_MS, Math.max(0, entry.count - FREE_FAILURES) * STEP_MS);
  }

  failed(ip: string): void {
    const network = networkOf(ip);
    const entry = this.#failures.get(network);
    if (entry !== undefined && this.#now() - entry.since <= WINDOW_MS) {
      entry.count++;
      return;
    }
    this.#failures.delete(network);
    this.#failures.set(network, { count: 1, since: this.#now() });
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= MOST_ADDRESSES) break;
      this.#failures.delete(oldest);
    }
  }

  succeeded(ip: string): void {
    this.#failures.delete(networkOf(ip));
  }
}
