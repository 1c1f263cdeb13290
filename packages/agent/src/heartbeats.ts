import { openHeartbeat, type Heartbeat, type MuxSession } from '@postern/protocol';
import type { AgentOptions } from './options.ts';

const INTERVAL = 10_000;
const TOLERANCE = 15_000;

export function heartbeatTimes(options: AgentOptions): { interval: number; tolerance: number } {
  return {
    interval: options.heartbeatInterval ?? INTERVAL,
    tolerance: options.heartbeatTolerance ?? TOLERANCE,
  };
}

/** Beats at the interval, and says when one stays unanswered for the tolerance (agent-protocol.md §3.2). */
export class Heartbeats {
  readonly #times: { interval: number; tolerance: number };
  readonly #heartbeat: Heartbeat;
  readonly #onSilence: (reason: string) => void;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(
    mux: MuxSession,
    options: AgentOptions,
    onLatency: (milliseconds: number) => void,
    onSilence: (reason: string) => void,
  ) {
    const random = options.random ?? Math.random;
    this.#times = heartbeatTimes(options);
    this.#onSilence = onSilence;
    this.#heartbeat = openHeartbeat(mux, {
      now: options.now ?? (() => performance.now()),
      random32: () => Math.floor(random() * 0x1_0000_0000),
      onLatency: (milliseconds) => {
        onLatency(milliseconds);
        this.#schedule(this.#times.interval, () => this.#beat());
      },
      onBroken: onSilence,
    });
  }

  /** The first beat leaves at once, before Auth. */
  start(): void {
    this.#beat();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #beat(): void {
    const { tolerance } = this.#times;
    this.#schedule(tolerance, () => this.#onSilence(`the server was silent for ${tolerance / 1000} s`));
    this.#heartbeat.beat();
  }

  #schedule(delay: number, action: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(action, delay);
  }
}
