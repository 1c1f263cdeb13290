/** Our own heartbeat stream into an agent, and the question whether it answers right now. */
import { openHeartbeat, type Heartbeat, type MuxSession } from '@postern/protocol';

export interface SessionHeartbeatOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
  readonly onBroken: (reason: string) => void;
}

export class SessionHeartbeat {
  readonly #heartbeat: Heartbeat;
  #broken = false;
  #waiting: ((alive: boolean) => void)[] = [];

  constructor(mux: MuxSession, options: SessionHeartbeatOptions) {
    this.#heartbeat = openHeartbeat(mux, {
      now: options.now,
      random32: () => Math.floor(options.random() * 0x1_0000_0000),
      onLatency: () => this.#answer(true),
      onBroken: (reason) => {
        this.#broken = true;
        this.#answer(false);
        options.onBroken(reason);
      },
    });
  }

  beat(): void {
    this.#heartbeat.beat();
  }

  /** Resolves with true when a beat comes back, with false when none ever will; the caller sets the deadline. */
  probe(): Promise<boolean> {
    if (this.#broken) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#heartbeat.beat();
    });
  }

  #answer(alive: boolean): void {
    for (const resolve of this.#waiting.splice(0)) resolve(alive);
  }
}
