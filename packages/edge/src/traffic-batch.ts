import type { TrafficEvent } from '@postern/link';
import type { TimerWheel } from './context.ts';

/** So many at once at most: the link may be a channel between processes, and a message per request costs more than it. */
const MOST = 256;
const LATEST_MS = 200;

/** Finished exchanges on their way to control, some at a time. */
export class TrafficBatch {
  readonly #wheel: TimerWheel;
  readonly #send: (events: readonly TrafficEvent[]) => void;
  #events: TrafficEvent[] = [];
  #scheduled = false;

  constructor(wheel: TimerWheel, send: (events: readonly TrafficEvent[]) => void) {
    this.#wheel = wheel;
    this.#send = send;
  }

  add(event: TrafficEvent): void {
    this.#events.push(event);
    if (this.#events.length >= MOST) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      this.#wheel.schedule(LATEST_MS, this.#due);
    }
  }

  flush(): void {
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    this.#send(events);
  }

  readonly #due = (): void => {
    this.#scheduled = false;
    this.flush();
  };
}
