/**
 * Notices an agent that has gone silent: stopped, unplugged, or closed without a word (agent-protocol.md §3.2). Any byte
 * counts as life; our own beats make a healthy agent send some.
 */
import type { TimerHandle, TimerWheel } from '../context.ts';

export interface HeartbeatTimes {
  /** Milliseconds, as the agent announced; 0 = not announced. */
  readonly interval: number;
  readonly tolerance: number;
}

const DEFAULTS: HeartbeatTimes = { interval: 10_000, tolerance: 15_000 };
const INTERVAL_BOUNDS = [200, 30_000] as const;
const TOLERANCE_BOUNDS = [500, 60_000] as const;
/** For the network and for the coarse clock. */
const SLACK_MS = 1_000;

/** What is watched. */
export interface SilenceHost {
  /** Milliseconds. */
  now(): number;
  /** Grows with everything received. */
  readonly bytesReceived: number;
  /** A visitor's bytes have left for the agent, and nothing has come since. */
  readonly unanswered: boolean;
  beat(): void;
  silent(ms: number): void;
}

export class SilenceWatch {
  /** Without a byte for this long the session is over. */
  readonly limitMs: number;
  readonly #host: SilenceHost;
  readonly #suspectMs: number;
  readonly #intervalMs: number;
  readonly #periodMs: number;
  readonly #timer: TimerHandle;
  #seen: number;
  #lastLife: number;
  #lastBeat: number;
  #lastCheck: number;
  /** When it was asked on behalf of a visitor who waits; null = nobody does. */
  #askedAt: number | null = null;

  /** @param suspectMs beyond the interval, before {@link suspicious} */
  constructor(host: SilenceHost, wheel: TimerWheel, times: HeartbeatTimes, suspectMs: number) {
    this.#host = host;
    this.#suspectMs = suspectMs;
    this.#intervalMs = clamp(times.interval || DEFAULTS.interval, INTERVAL_BOUNDS);
    this.limitMs = this.#intervalMs + clamp(times.tolerance || DEFAULTS.tolerance, TOLERANCE_BOUNDS) + SLACK_MS;
    this.#periodMs = Math.min(1_000, this.#intervalMs / 2);
    const now = host.now();
    this.#seen = host.bytesReceived;
    this.#lastLife = now;
    this.#lastBeat = now;
    this.#lastCheck = now;
    this.#timer = wheel.schedule(this.#periodMs, this.#check);
  }

  stop(): void {
    this.#timer.cancel();
  }

  /** No byte for longer than a healthy agent is ever silent, and some seconds more. */
  get suspicious(): boolean {
    if (this.#host.bytesReceived !== this.#seen) return false;
    return this.#host.now() - this.#lastLife > this.#intervalMs + this.#suspectMs;
  }

  readonly #check = (): void => {
    const now = this.#host.now();
    const seen = this.#host.bytesReceived;
    // When this process itself stood still, what the agent sent meanwhile has not been read yet.
    const stalled = now - this.#lastCheck > this.#periodMs + SLACK_MS;
    this.#lastCheck = now;
    if (seen !== this.#seen || stalled) {
      this.#seen = seen;
      this.#lastLife = now;
      this.#askedAt = null;
    }
    const silent = now - this.#lastLife;
    if (silent > this.limitMs || this.#failsVisitor(now)) {
      this.#host.silent(silent);
      return;
    }
    if (now - this.#lastBeat >= this.#intervalMs) {
      this.#lastBeat = now;
      this.#host.beat();
    }
    this.#timer.refresh();
  };

  /** A visitor who waits is no reason to wait for the next beat: it goes out now, and its echo is due in seconds. */
  #failsVisitor(now: number): boolean {
    if (this.#askedAt === null) {
      if (!this.#host.unanswered) return false;
      this.#askedAt = now;
      this.#host.beat();
    }
    return now - this.#askedAt > this.#suspectMs;
  }
}

function clamp(value: number, [least, most]: readonly [number, number]): number {
  return Math.min(most, Math.max(least, value));
}
