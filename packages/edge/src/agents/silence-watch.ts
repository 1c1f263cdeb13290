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

export interface SilenceWatchOptions {
  readonly wheel: TimerWheel;
  /** Milliseconds. */
  readonly now: () => number;
  readonly times: HeartbeatTimes;
  /** Beyond the interval, before {@link SilenceWatch.suspicious}. */
  readonly suspectMs: number;
  /** Grows with everything received. */
  readonly bytesReceived: () => number;
  /** A visitor's bytes have left for the agent, and nothing has come since. */
  readonly unanswered: () => boolean;
  readonly beat: () => void;
  readonly onSilent: (silentMs: number) => void;
}

export class SilenceWatch {
  /** Without a byte for this long the session is over. */
  readonly limitMs: number;
  readonly #options: SilenceWatchOptions;
  readonly #intervalMs: number;
  readonly #periodMs: number;
  #timer: TimerHandle;
  #seen: number;
  #lastLife: number;
  #lastBeat: number;
  #lastCheck: number;
  /** When it was asked on behalf of a visitor who waits; null = nobody does. */
  #askedAt: number | null = null;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
    this.#intervalMs = clamp(options.times.interval || DEFAULTS.interval, INTERVAL_BOUNDS);
    this.limitMs = this.#intervalMs + clamp(options.times.tolerance || DEFAULTS.tolerance, TOLERANCE_BOUNDS) + SLACK_MS;
    this.#periodMs = Math.min(1_000, this.#intervalMs / 2);
    const now = options.now();
    this.#seen = options.bytesReceived();
    this.#lastLife = now;
    this.#lastBeat = now;
    this.#lastCheck = now;
    this.#timer = options.wheel.schedule(this.#periodMs, this.#check);
  }

  stop(): void {
    this.#timer.cancel();
  }

  /** No byte for longer than a healthy agent is ever silent, and some seconds more. */
  get suspicious(): boolean {
    if (this.#options.bytesReceived() !== this.#seen) return false;
    return this.#options.now() - this.#lastLife > this.#intervalMs + this.#options.suspectMs;
  }

  readonly #check = (): void => {
    const now = this.#options.now();
    const seen = this.#options.bytesReceived();
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
      this.#options.onSilent(silent);
      return;
    }
    if (now - this.#lastBeat >= this.#intervalMs) {
      this.#lastBeat = now;
      this.#options.beat();
    }
    this.#timer.refresh();
  };

  /** A visitor who waits is no reason to wait for the next beat: it goes out now, and its echo is due in seconds. */
  #failsVisitor(now: number): boolean {
    if (this.#askedAt === null) {
      if (!this.#options.unanswered()) return false;
      this.#askedAt = now;
      this.#options.beat();
    }
    return now - this.#askedAt > this.#options.suspectMs;
  }
}

function clamp(value: number, [least, most]: readonly [number, number]): number {
  return Math.min(most, Math.max(least, value));
}
