/**
 * Streams that wait for their visitor's next request. A stream belongs to one visitor connection and one endpoint,
 * because it was opened with that visitor's address (agent-protocol.md §6.1).
 */
import type { EdgeContext } from '../../context.ts';
import type { AgentUpstream } from '@postern/link';
import { placeOf } from '../../places/place.ts';
import type { Guard } from '../../guard.ts';
import type { Upstream, UpstreamOwner } from '../exchange/ports.ts';

/** As many as an HTTP/2 visitor may use at once; whoever needs their places gets them. */
const KEPT_PER_CONNECTION = 100;
/** Closed this long before the upstream's own announced end, so that a request never races it. */
const MARGIN_MS = 1_000;

/** What holds a place and has nothing under way: a kept stream, a link to an HTTP/2 service. */
export interface Spare {
  readonly upstream: AgentUpstream;
  /** Its stream, while it has one. */
  readonly stream: { readonly context: unknown } | null;
  /** Somebody else needs the place, or the session is gone: closes it. */
  yieldPlace(): void;
}

/** Of all visitors by agent session, those that wait longest first: which to close when places are scarce. */
export class KeptIndex {
  /** Of HTTP/2 services (MAX_CONCURRENT_STREAMS), as they said last: a link has to begin before it is told. */
  readonly streamLimits = new WeakMap<AgentUpstream, number>();
  private readonly sessions = new Map<string, Set<Spare>>();

  add(spare: Spare): void {
    const { sessionId } = spare.upstream;
    let spares = this.sessions.get(sessionId);
    if (spares === undefined) this.sessions.set(sessionId, (spares = new Set()));
    spares.add(spare);
    const place = placeOf(spare.stream);
    if (place !== null) place.idle = true;
  }

  remove(spare: Spare): void {
    const { sessionId } = spare.upstream;
    const spares = this.sessions.get(sessionId);
    if (spares?.delete(spare) !== true) return;
    if (spares.size === 0) this.sessions.delete(sessionId);
    const place = placeOf(spare.stream);
    if (place !== null) place.idle = false;
  }

  /** Closes the one that waits longest. @returns whether there was one */
  evict(sessionId: string): boolean {
    const oldest = this.sessions.get(sessionId)?.values().next().value;
    if (oldest === undefined) return false;
    this.remove(oldest);
    oldest.yieldPlace();
    return true;
  }

  forgetSession(sessionId: string): void {
    for (const spare of this.sessions.get(sessionId) ?? []) spare.yieldPlace();
    this.sessions.delete(sessionId);
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
  private readonly edge: EdgeContext;
  /** Of the visitor connection. */
  readonly guard: Guard;
  private readonly index: KeptIndex;
  private readonly idle: KeptUpstream[] = [];
  private timing = false;
  private closed = false;
  /** The last Keep-Alive value and what it came to: an upstream repeats it. */
  private announced = '';
  private announcedMs = Infinity;

  constructor(edge: EdgeContext, index: KeptIndex, guard: Guard) {
    this.edge = edge;
    this.guard = guard;
    this.index = index;
  }

  /** A live stream to the same endpoint and agent, the one used last. */
  take(endpointId: string, upstream: AgentUpstream): KeptUpstream | null {
    for (let at = this.idle.length - 1; at >= 0; at--) {
      const client = this.idle[at];
      if (client === undefined || client.endpointId !== endpointId) continue;
      if (client.upstream.sessionId !== upstream.sessionId || client.upstream.tunnelId !== upstream.tunnelId) continue;
      this.idle.splice(at, 1);
      this.index.remove(client);
      if (client.alive && this.edge.now() < client.expiresAt) return client;
      client.abandon();
    }
    return null;
  }

  /**
   * @param keepAlive the upstream's Keep-Alive value, '' for none
   * @returns false when it cannot be kept; closing it is the caller's then
   */
  keep(client: KeptUpstream, keepAlive: string): boolean {
    if (this.closed || this.idle.length >= KEPT_PER_CONNECTION) return false;
    if (this.edge.agents.scarce(client.upstream)) return false;
    if (keepAlive !== this.announced) {
      this.announced = keepAlive;
      this.announcedMs = announcedTimeout(keepAlive);
    }
    const lifetime = Math.min(this.edge.config.limits.upstreamIdleMs, this.announcedMs - MARGIN_MS);
    if (lifetime <= 0) return false;
    client.expiresAt = this.edge.now() + lifetime;
    this.idle.push(client);
    this.index.add(client);
    this.watch(lifetime);
    return true;
  }

  forget(client: KeptUpstream): void {
    const at = this.idle.indexOf(client);
    if (at === -1) return;
    this.idle.splice(at, 1);
    this.index.remove(client);
  }

  /** The visitor has left. */
  close(): void {
    this.closed = true;
    for (const client of this.idle.splice(0)) {
      this.index.remove(client);
      client.abandon();
    }
  }

  /** One timer for all of them, started anew with what is left when it fires: keeping costs no timer a request. */
  private watch(ms: number): void {
    if (this.timing) return;
    this.timing = true;
    this.guard.schedule(ms, () => {
      this.timing = false;
      const now = this.edge.now();
      let next = Infinity;
      const expired = this.idle.filter((client) => client.expiresAt <= now);
      for (const client of expired) {
        this.forget(client);
        client.abandon();
      }
      for (const client of this.idle) next = Math.min(next, client.expiresAt - now);
      if (next !== Infinity) this.watch(next);
    });
  }
}

/** Milliseconds of `timeout=N` in a Keep-Alive value; Infinity when it names none. */
function announcedTimeout(value: string): number {
  const match = /(?:^|[\s,])timeout\s*=\s*"?(\d{1,9})/i.exec(value);
  return match === null ? Infinity : Number(match[1]) * 1_000;
}
