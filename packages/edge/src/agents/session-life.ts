/**
 * Whether an agent lives: our own beats into it, how long it has been silent, and the question whether it answers right
 * now. An idle session consists of little else, so what its parts tell each other are methods, and no closure is made
 * for any (docs/performance.md).
 */
import { openHeartbeat, type Heartbeat, type HeartbeatOptions, type MuxSession } from '@postern/protocol';
import type { EdgeLimits, Log, TimerWheel } from '../context.ts';
import { withDeadline } from '../deadline.ts';
import { type HeartbeatTimes, type SilenceHost, SilenceWatch } from './silence-watch.ts';

const PROBE_MS = 1_000;
const PROBE_LOOK_MS = 200;
/** What comes longer than this behind the question was not on its way when it was asked. */
const LATE_MS = 5_000;

function noEcho(): Error {
  return new Error('no echo in time');
}

/** The session whose life it is. */
export interface LifeOwner {
  readonly id: string;
  readonly mux: MuxSession;
  /** It has been silent for longer than an agent that lives ever is. */
  silent(ms: number): void;
}

/** The same for all sessions. */
export interface LifeOptions {
  readonly wheel: TimerWheel;
  readonly log: Log;
  readonly limits: Pick<EdgeLimits, 'idleMs' | 'suspectMs'>;
  readonly random: () => number;
}

export class SessionLife implements HeartbeatOptions, SilenceHost {
  readonly #owner: LifeOwner;
  readonly #options: LifeOptions;
  readonly #heartbeat: Heartbeat;
  readonly #watch: SilenceWatch;
  #broken = false;
  #stopped = false;
  /** null = nobody asks. */
  #waiting: ((alive: boolean) => void)[] | null = null;

  /** @param wheel guarded by the session */
  constructor(owner: LifeOwner, options: LifeOptions, wheel: TimerWheel, times: HeartbeatTimes) {
    this.#owner = owner;
    this.#options = options;
    this.#heartbeat = openHeartbeat(owner.mux, this);
    this.#watch = new SilenceWatch(this, wheel, times, options.limits.suspectMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#watch.stop();
    this.#answer(false);
  }

  /** Whether it answers what it is asked now, in time: the first echo may be that of a beat before. */
  async answers(): Promise<boolean> {
    return (await this.#echo()) && (await this.#echo());
  }

  /** Resolves with true when a beat comes back in time. */
  #echo(): Promise<boolean> {
    if (this.#broken || this.#stopped) return Promise.resolve(false);
    const answered = new Promise<boolean>((resolve) => {
      (this.#waiting ??= []).push(resolve);
      this.#heartbeat.beat();
    });
    return withDeadline(this.#options.wheel, answered, PROBE_MS, noEcho).catch(() => false);
  }

  /**
   * Whether the agent lives: true as soon as it answers what it is asked now, or goes on to say other things; false once its
   * connection ends, or it has been silent for longer than a busy one ever is. A healthy agent answers at once; who asks
   * waits for one that was killed behind a wire that says nothing, or late, instead of being told that it lives.
   */
  async probe(): Promise<boolean> {
    const asked = this.now();
    let heard = this.bytesReceived;
    for (;;) {
      // An echo of a beat before may have been said by an agent that has died since.
      // oxlint-disable-next-line no-await-in-loop -- each look comes behind the one before it
      if (await this.answers()) return true;
      if (this.#stopped || this.#watch.suspicious) return false;
      if (this.now() - asked < LATE_MS) heard = this.bytesReceived;
      else if (this.bytesReceived !== heard) return true;
      // oxlint-disable-next-line no-await-in-loop
      await new Promise<void>((resolve) => this.#options.wheel.schedule(PROBE_LOOK_MS, resolve));
    }
  }

  // What the heartbeat asks and tells.

  /** Heartbeats measure spans: the wall clock may jump. */
  now(): number {
    return performance.now();
  }

  random32(): number {
    return Math.floor(this.#options.random() * 0x1_0000_0000);
  }

  onLatency(): void {
    this.#answer(true);
  }

  onBroken(reason: string): void {
    this.#broken = true;
    this.#answer(false);
    this.#options.log.debug({ session: this.#owner.id, reason }, 'agent does not echo heartbeats');
  }

  // What the watch asks and tells.

  get bytesReceived(): number {
    return this.#owner.mux.bytesReceived;
  }

  get unanswered(): boolean {
    return this.#owner.mux.unanswered;
  }

  beat(): void {
    this.#heartbeat.beat();
    this.#owner.mux.leaving.expire(this.#options.limits.idleMs);
  }

  silent(ms: number): void {
    this.#owner.silent(ms);
  }

  #answer(alive: boolean): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    for (const resolve of waiting ?? []) resolve(alive);
  }
}
