/** Every agent session that is connected here, and the streams into them. */
import { fail } from '@postern/errors';
import {
  encodeProxyHeader,
  MuxSessionEnded,
  StreamType,
  type MuxStream,
  type MuxStreamHandler,
} from '@postern/protocol';
import type { AgentStreams, StreamPurpose, TimerHandle, TimerWheel } from '../context.ts';
import type { AgentUpstream } from '@postern/link';
import type { AgentSession } from './agent-session.ts';

export interface DirectoryOptions {
  readonly wheel: TimerWheel;
  /** Open streams per session, of any kind: agents break at 512 (agent-protocol.md §0.6). */
  readonly streamsPerSession: number;
  readonly queueMs: number;
}

interface Waiter {
  readonly proceed: () => void;
  readonly timer: TimerHandle;
}

export class AgentDirectory implements AgentStreams {
  readonly #options: DirectoryOptions;
  readonly #sessions = new Map<string, AgentSession>();
  readonly #waiting = new Map<string, Waiter[]>();
  readonly #evictors: ((sessionId: string) => boolean)[] = [];
  readonly #goneListeners: ((sessionId: string) => void)[] = [];

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sessions.size;
  }

  add(session: AgentSession): void {
    this.#sessions.set(session.id, session);
  }

  find(sessionId: string): AgentSession | undefined {
    return this.#sessions.get(sessionId);
  }

  /** The session's wire is gone: who waits for it is told, and who keeps streams of it. */
  remove(session: AgentSession): void {
    if (this.#sessions.get(session.id) !== session) return;
    this.#sessions.delete(session.id);
    const waiters = this.#waiting.get(session.id) ?? [];
    this.#waiting.delete(session.id);
    // They find at once that the session is gone.
    for (const waiter of waiters) waiter.proceed();
    for (const listener of this.#goneListeners) listener(session.id);
  }

  isOnline(upstream: AgentUpstream): boolean {
    return this.#sessions.has(upstream.sessionId);
  }

  canOpen(upstream: AgentUpstream): boolean {
    const session = this.#sessions.get(upstream.sessionId);
    return session !== undefined && this.#room(session) > 0;
  }

  open(
    upstream: AgentUpstream,
    purpose: StreamPurpose,
    proxyHeader: Buffer | null,
    handler: MuxStreamHandler,
    first?: Buffer,
  ): MuxStream {
    const session = this.#sessions.get(upstream.sessionId);
    if (session === undefined) throw fail(3210);
    if (this.#room(session) <= 0) throw fail(743);
    const header = encodeProxyHeader({ id: upstream.tunnelId, ...purpose });
    const parts = [header];
    if (proxyHeader !== null) parts.push(proxyHeader);
    if (first !== undefined) parts.push(first);
    try {
      return session.mux.open(StreamType.proxy, handler, parts.length === 1 ? header : Buffer.concat(parts));
    } catch (error) {
      if (error instanceof MuxSessionEnded) throw fail(3210, {}, { cause: error });
      throw error;
    }
  }

  async waitForRoom(upstream: AgentUpstream): Promise<void> {
    const { sessionId } = upstream;
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    // Streams of our own, as heartbeats, may have taken the session beyond its cap.
    for (let due = 1 - this.#room(session); due > 0; due--) {
      if (!this.#evictors.some((evict) => evict(sessionId))) break;
    }
    if (this.canOpen(upstream) || !this.#sessions.has(sessionId)) return;
    await new Promise<void>((resolve, reject) => {
      const queue = this.#waiting.get(sessionId) ?? [];
      this.#waiting.set(sessionId, queue);
      const waiter: Waiter = {
        proceed: () => {
          waiter.timer.cancel();
          resolve();
        },
        timer: this.#options.wheel.schedule(this.#options.queueMs, () => {
          queue.splice(queue.indexOf(waiter), 1);
          if (queue.length === 0 && this.#waiting.get(sessionId) === queue) this.#waiting.delete(sessionId);
          reject(fail(743));
        }),
      };
      queue.push(waiter);
    });
  }

  onPressure(evictIdle: (sessionId: string) => boolean): void {
    this.#evictors.push(evictIdle);
  }

  onSessionGone(listener: (sessionId: string) => void): void {
    this.#goneListeners.push(listener);
  }

  /** Streams may have closed: lets as many waiters go on as there is room. Called after each turn of a session's wire. */
  roomMayHaveGrown(session: AgentSession): void {
    if (this.#waiting.size === 0) return;
    const queue = this.#waiting.get(session.id);
    if (queue === undefined) return;
    for (const waiter of queue.splice(0, Math.max(0, this.#room(session)))) waiter.proceed();
    if (queue.length === 0) this.#waiting.delete(session.id);
  }

  all(): readonly AgentSession[] {
    return [...this.#sessions.values()];
  }

  #room(session: AgentSession): number {
    return this.#options.streamsPerSession - session.mux.streamCount;
  }
}
