/**
 * Deadlines of one visitor connection that flows: without a byte in either direction it is idle, and with bytes waiting
 * of which the visitor accepts none it is stalled; a visitor who has vanished without a word looks like that, and a
 * slow one does not (send-queues.ts). Traffic costs one refresh; the timer counts only while nothing moves.
 */
import type { Socket } from 'node:net';
import type { EdgeLimits, TimerHandle, TimerWheel } from '../context.ts';
import { createSendQueues, GONE, type SendQueues } from './send-queues.ts';

/** Looks per stall: it ends between this many and one more. */
const LOOKS = 4;
/** A reading of the system's tables serves all connections for so long. */
export const MOST_FRESH_MS = 1_000;

export type ConnectionDeadlines = Pick<EdgeLimits, 'idleMs' | 'stallMs'>;

export interface WatchedFlow {
  readonly socket: Socket;
  /** Bytes taken for the visitor and not yet accepted. */
  pending(): number;
  idle(): void;
  stalled(): void;
}

/** Of the process. */
export const sendQueues: SendQueues = createSendQueues();

export class ConnectionWatch {
  readonly #timer: TimerHandle;
  readonly #idleLooks: number;
  readonly #freshMs: number;
  readonly #flow: WatchedFlow;
  readonly #queues: SendQueues;
  #quiet = 0;
  #stalled = 0;
  #queued: number | null = null;

  constructor(
    wheel: TimerWheel,
    { idleMs, stallMs }: ConnectionDeadlines,
    flow: WatchedFlow,
    queues: SendQueues = sendQueues,
  ) {
    this.#flow = flow;
    this.#queues = queues;
    this.#idleLooks = Math.max(1, Math.ceil((idleMs * LOOKS) / stallMs));
    this.#freshMs = Math.min(MOST_FRESH_MS, stallMs / LOOKS / 2);
    this.#timer = wheel.schedule(idleMs / this.#idleLooks, () => this.#look());
  }

  /** Bytes have moved. */
  moved(): void {
    this.#quiet = 0;
    this.#timer.refresh();
  }

  /** The visitor has accepted bytes. */
  accepted(): void {
    this.#stalled = 0;
    this.moved();
  }

  /** Milliseconds since something moved, at least: looks begin anew. */
  age(): number {
    return this.#timer.age();
  }

  cancel(): void {
    this.#timer.cancel();
  }

  #look(): void {
    this.#timer.refresh();
    this.#quiet++;
    if (this.#flow.pending() === 0) this.#stalled = 0;
    else void this.#lookBelow();
    if (this.#quiet < this.#idleLooks) return;
    this.#quiet = 0;
    this.#flow.idle();
  }

  /** The system may have moved bytes that our writes do not tell of. */
  async #lookBelow(): Promise<void> {
    this.#stalled++;
    const queued = await this.#queues.of(this.#flow.socket, this.#freshMs);
    if (this.#flow.pending() === 0) return;
    if (queued === null) this.#stalled = 0;
    else if (queued !== GONE && this.#stalled > 1 && queued !== this.#queued) {
      this.#stalled = 0;
      this.#quiet = 0;
    }
    this.#queued = queued;
    if (queued === GONE || this.#stalled > LOOKS) this.#flow.stalled();
  }
}
