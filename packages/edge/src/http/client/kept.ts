/**
 * Streams that wait for their visitor's next request. A stream belongs to one visitor connection and one endpoint,
 * because it was opened with that visitor's address (agent-protocol.md §6.1).
 */
import type { EdgeContext, TimerHandle } from '../../context.ts';
import type { AgentUpstream } from '@postern/link';
import { placeOf } from '../../places/place.ts';
import type { Guard } from '../../guard.ts';
import type { Upstream, UpstreamOwner } from '../exchange/ports.ts';

/** As many as an HTTP/2 visitor may use at once; whoever needs their places gets them. */
const KEPT_PER_CONNECTION = 100;
/** Closed this long before the upstream's own announced end, so that a request never races it. */
const MARGIN_MS = 1_000;
/**
 * Lines that may be empty: a session's has its turns again and again, and the next one finds it made. Of sessions at other
 * edges nobody says here that they have ended, so that beyond these the empty ones go.
 */
const MOST_EMPTY = 256;

/** What holds a place and has nothing under way: a kept stream, a link to an HTTP/2 service. */
export interface Spare {
  readonly upstream: AgentUpstream;
  /** Its stream, while it has one. */
  readonly stream: { readonly context: unknown } | null;
  readonly turn: Turn;
  /** Somebody else needs the place, or the session is gone: closes it. */
  yieldPlace(): void;
}

/** Those of one session that wait, the longest first. */
interface Line {
  first: Turn | null;
  last: Turn | null;
}

/** Where a spare stands in the line of its session. Each has one for good: waiting between requests allocates nothing. */
export class Turn {
  readonly spare: Spare;
  /** null = it does not wait. */
  line: Line | null = null;
  previous: Turn | null = null;
  next: Turn | null = null;

  constructor(spare: Spare) {
    this.spare = spare;
  }
}

/** Of all visitors by agent session, those that wait longest first: which to close when places are scarce. */
export class KeptIndex {
  /** Of HTTP/2 services (MAX_CONCURRENT_STREAMS), as they said last: a link has to begin before it is told. */
  readonly streamLimits = new WeakMap<AgentUpstream, number>();
  readonly #lines = new Map<string, Line>();
  /** Of the lines, those that are. */
  #empty = 0;

  add(spare: Spare): void {
    const { turn, stream } = spare;
    if (turn.line !== null) return;
    const { sessionId } = spare.upstream;
    let line = this.#lines.get(sessionId);
    if (line === undefined) this.#lines.set(sessionId, (line = { first: null, last: null }));
    else if (line.first === null) this.#empty -= 1;
    turn.line = line;
    turn.previous = line.last;
    if (line.last === null) line.first = turn;
    else line.last.next = turn;
    line.last = turn;
    const place = placeOf(stream);
    if (place !== null) place.idle = true;
  }

  remove(spare: Spare): void {
    const { turn } = spare;
    const { line, previous, next } = turn;
    if (line === null) return;
    if (previous === null) line.first = next;
    else previous.next = next;
    if (next === null) line.last = previous;
    else next.previous = previous;
    turn.line = null;
    turn.previous = null;
    turn.next = null;
    if (line.first === null) this.#emptied();
    const place = placeOf(spare.stream);
    if (place !== null) place.idle = false;
  }

  /** Closes the one that waits longest. @returns whether there was one */
  evict(sessionId: string): boolean {
    const oldest = this.#lines.get(sessionId)?.first?.spare;
    if (oldest === undefined) return false;
    this.remove(oldest);
    oldest.yieldPlace();
    return true;
  }

  /** The session is gone, or one endpoint of it, and with it all that waits on it. */
  forgetGone(sessionId: string, tunnelId: string | null): void {
    const spares: Spare[] = [];
    for (let turn = this.#lines.get(sessionId)?.first ?? null; turn !== null; turn = turn.next)
      if (tunnelId === null || turn.spare.upstream.tunnelId === tunnelId) spares.push(turn.spare);
    for (const spare of spares) {
      // The end of one may have been that of others.
      if (spare.turn.line === null) continue;
      this.remove(spare);
      spare.yieldPlace();
    }
    if (tunnelId === null && this.#lines.get(sessionId)?.first === null) {
      this.#lines.delete(sessionId);
      this.#empty -= 1;
    }
  }

  #emptied(): void {
    this.#empty += 1;
    if (this.#empty <= MOST_EMPTY) return;
    for (const [sessionId, { first }] of this.#lines) if (first === null) this.#lines.delete(sessionId);
    this.#empty = 0;
  }
}

/** A stream that can serve one request after another. */
export interface KeptUpstream extends Upstream, Spare {
  readonly endpointId: string;
  readonly alive: boolean;
  /** Unix milliseconds until which it may wait for the next request. */
  expiresAt: number;
  /** A further request. */
  next(owner: UpstreamOwner): void;
  /** Nobody will use it again. */
  abandon(): void;
}

/** Kept streams of one visitor connection. */
export class KeptUpstreams {
  readonly #edge: EdgeContext;
  /** Of the visitor connection. */
  readonly guard: Guard;
  readonly #index: KeptIndex;
  readonly #idle: KeptUpstream[] = [];
  #timer: TimerHandle | null = null;
  #closed = false;
  /** The last Keep-Alive value and what it came to: an upstream repeats it. */
  #announced = '';
  #announcedMs = Infinity;

  constructor(edge: EdgeContext, index: KeptIndex, guard: Guard) {
    this.#edge = edge;
    this.guard = guard;
    this.#index = index;
  }

  /** A live stream to the same endpoint and agent, the one used last. */
  take(endpointId: string, upstream: AgentUpstream): KeptUpstream | null {
    for (let at = this.#idle.length - 1; at >= 0; at--) {
      const client = this.#idle[at];
      if (client === undefined || client.endpointId !== endpointId) continue;
      if (client.upstream.sessionId !== upstream.sessionId || client.upstream.tunnelId !== upstream.tunnelId) continue;
      this.#takeOut(at);
      this.#index.remove(client);
      if (client.alive && this.#edge.now() < client.expiresAt) return client;
      client.abandon();
    }
    return null;
  }

  /**
   * @param keepAlive the upstream's Keep-Alive value, '' for none
   * @returns false when it cannot be kept; closing it is the caller's then
   */
  keep(client: KeptUpstream, keepAlive: string): boolean {
    if (this.#closed || this.#idle.length >= KEPT_PER_CONNECTION) return false;
    if (this.#edge.agents.scarce(client.upstream)) return false;
    if (keepAlive !== this.#announced) {
      this.#announced = keepAlive;
      this.#announcedMs = announcedTimeout(keepAlive);
    }
    const lifetime = Math.min(this.#edge.config.limits.upstreamIdleMs, this.#announcedMs - MARGIN_MS);
    if (lifetime <= 0) return false;
    client.expiresAt = this.#edge.now() + lifetime;
    this.#idle.push(client);
    this.#index.add(client);
    this.#watch(lifetime);
    return true;
  }

  forget(client: KeptUpstream): void {
    const at = this.#idle.indexOf(client);
    if (at === -1) return;
    this.#takeOut(at);
    this.#index.remove(client);
  }

  /** The one used last is nearly always the one; cutting out of the middle makes a list of what is cut. */
  #takeOut(at: number): void {
    if (at === this.#idle.length - 1) this.#idle.pop();
    else this.#idle.splice(at, 1);
  }

  /** The visitor has left. */
  close(): void {
    this.#closed = true;
    // It would hold all that the visitor had until it is due.
    this.#timer?.cancel();
    this.#timer = null;
    for (const client of this.#idle.splice(0)) {
      this.#index.remove(client);
      client.abandon();
    }
  }

  /** One timer for all of them, started anew with what is left when it fires: keeping costs no timer a request. */
  #watch(ms: number): void {
    this.#timer ??= this.guard.schedule(ms, () => {
      this.#timer = null;
      const now = this.#edge.now();
      let next = Infinity;
      const expired = this.#idle.filter((client) => client.expiresAt <= now);
      for (const client of expired) {
        this.forget(client);
        client.abandon();
      }
      for (const client of this.#idle) next = Math.min(next, client.expiresAt - now);
      if (next !== Infinity) this.#watch(next);
    });
  }
}

/** Milliseconds of `timeout=N` in a Keep-Alive value; Infinity when it names none. */
function announcedTimeout(value: string): number {
  const match = /(?:^|[\s,])timeout\s*=\s*"?(\d{1,9})/i.exec(value);
  return match === null ? Infinity : Number(match[1]) * 1_000;
}
