import { openHeartbeat, type Heartbeat, type MuxSession } from '@postern/protocol';
import type { AgentOptions } from './options.ts';

const INTERVAL = 10_000;
const TOLERANCE = 15_000;
/**
 * An answer that takes four times as long as usual is doubted, not before half a second and at last after two. A doubt
 * costs a connection beside this one, no more.
 */
const DOUBT = 500;
const DOUBT_ROUNDS = 4;
const MOST_DOUBT = 2000;
/** Share of a slower answer in what is usual; a quicker one is believed at once. */
const SLOWER = 0.125;
/** A timer that is so late belongs to a process that stood still; the answer may lie in the socket, unread. */
const STOOD_STILL = 1000;

export function heartbeatTimes(options: AgentOptions): { interval: number; tolerance: number } {
  return {
    interval: options.heartbeatInterval ?? INTERVAL,
    tolerance: options.heartbeatTolerance ?? TOLERANCE,
  };
}

export interface HeartbeatEvents {
  /** A beat was answered after so many milliseconds. */
  onLatency(milliseconds: number): void;
  /** A beat is not answered as soon as usual; `onLatency` is still to come, or `onSilence`. */
  onDoubt(): void;
  /** A beat was not answered within the tolerance, or wrongly. */
  onSilence(reason: string): void;
}

/** Beats at the interval, and says when one stays unanswered for the tolerance (agent-protocol.md §3.2). */
export class Heartbeats {
  readonly #times: { interval: number; tolerance: number };
  readonly #heartbeat: Heartbeat;
  readonly #now: () => number;
  readonly #events: HeartbeatEvents;
  /** What answers usually take; undefined before the first. */
  #usual: number | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #doubt: NodeJS.Timeout | undefined = undefined;

  constructor(mux: MuxSession, options: AgentOptions, events: HeartbeatEvents) {
    const random = options.random ?? Math.random;
    this.#times = heartbeatTimes(options);
    this.#now = options.now ?? (() => performance.now());
    this.#events = events;
    this.#heartbeat = openHeartbeat(mux, {
      now: this.#now,
      random32: () => Math.floor(random() * 0x1_0000_0000),
      onLatency: (milliseconds) => {
        const usual = this.#usual ?? milliseconds;
        this.#usual = milliseconds < usual ? milliseconds : usual + SLOWER * (milliseconds - usual);
        clearTimeout(this.#doubt);
        this.#schedule(this.#times.interval, () => this.beat());
        events.onLatency(milliseconds);
      },
      onBroken: (reason) => events.onSilence(reason),
    });
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#doubt);
  }

  /** Beats now, unless an answer is waited for. The first beat leaves before Auth. */
  beat(): void {
    if (this.#heartbeat.waitingSince !== undefined) return;
    const { tolerance } = this.#times;
    this.#expectWithin(tolerance);
    clearTimeout(this.#doubt);
    const doubtAfter = Math.min(MOST_DOUBT, Math.max(DOUBT, DOUBT_ROUNDS * (this.#usual ?? 0)));
    if (doubtAfter < tolerance) this.#doubt = setTimeout(() => this.#events.onDoubt(), doubtAfter);
    this.#heartbeat.beat();
  }

  #expectWithin(time: number): void {
    const due = this.#now() + time;
    this.#schedule(time, () => {
      if (this.#now() - due > STOOD_STILL) this.#expectWithin(Math.min(STOOD_STILL, this.#times.tolerance));
      else this.#events.onSilence(`the server was silent for ${this.#times.tolerance / 1000} s`);
    });
  }

  #schedule(delay: number, action: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(action, delay);
  }
}
