import type { EdgePort, RouteEndpoint } from '@postern/link';
import { within } from './within.ts';

export interface RouteChange {
  readonly upserts: readonly RouteEndpoint[];
  readonly removes: readonly string[];
}

/** One edge that follows: its updates in order, one at a time, each waited for, none longer than the deadline. */
export interface Follower {
  /** Everything that exists, and from then on every change. Once. */
  follow(port: EdgePort, everything: readonly RouteEndpoint[]): Promise<void>;
  /** The session's wire is at this edge. */
  holds(sessionId: string): void;
  releases(sessionId: string): void;
  /** Whether {@link leave} was called. */
  readonly gone: boolean;
  /** The edge is gone, and what it held with it. @returns the sessions that it held */
  leave(): readonly string[];
}

/**
 * The edges of this node. They come and go at any time; a change is acknowledged when every edge that follows has it,
 * and one slow or failing edge never holds later changes up for good.
 */
export class EdgeSet {
  readonly #deadlineMs: number;
  readonly #edges = new Set<OneEdge>();
  readonly #bySession = new Map<string, OneEdge>();

  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
  }

  add(): Follower {
    const edge = new OneEdge(this.#deadlineMs);
    this.#edges.add(edge);
    return {
      get gone() {
        return edge.gone;
      },
      follow: (port, everything) => edge.follow(port, everything),
      holds: (sessionId) => void this.#bySession.set(sessionId, edge),
      releases: (sessionId) => void this.#bySession.delete(sessionId),
      leave: () => {
        edge.leave();
        this.#edges.delete(edge);
        const held = [...this.#bySession].filter(([, holder]) => holder === edge).map(([sessionId]) => sessionId);
        for (const sessionId of held) this.#bySession.delete(sessionId);
        return held;
      },
    };
  }

  /** The edge that has the session's wire; null = none of this node's. */
  where(sessionId: string): EdgePort | null {
    return this.#bySession.get(sessionId)?.port ?? null;
  }

  /** Ends all sessions of this node's edges; their agents come back, here or elsewhere. */
  closeSessions(reason: string): void {
    for (const [sessionId, edge] of this.#bySession) edge.port?.closeSession(sessionId, reason);
  }

  /** Resolves when new requests see the change at every edge; rejects when one refuses it or stays silent. */
  async publish(change: RouteChange): Promise<void> {
    if (change.upserts.length === 0 && change.removes.length === 0) return;
    const applied = await Promise.allSettled([...this.#edges].map((edge) => edge.publish(change)));
    const refused = applied.find((result) => result.status === 'rejected');
    if (refused !== undefined) throw refused.reason;
  }

  /** Tells no edge anything more. */
  close(): void {
    for (const edge of this.#edges) edge.leave();
    this.#edges.clear();
    this.#bySession.clear();
  }
}

class OneEdge {
  readonly #deadlineMs: number;
  port: EdgePort | null = null;
  gone = false;
  readonly #left = Promise.withResolvers<void>();
  #revision = 0;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
  }

  leave(): void {
    this.gone = true;
    this.#left.resolve();
  }

  follow(port: EdgePort, everything: readonly RouteEndpoint[]): Promise<void> {
    if (this.port !== null) throw new Error('this edge follows already');
    this.port = port;
    return this.#send({ upserts: everything, removes: [] }, true);
  }

  publish(change: RouteChange): Promise<void> {
    // What it has not followed yet, its snapshot will hold.
    return this.port === null ? Promise.resolve() : this.#send(change, false);
  }

  #send(change: RouteChange, snapshot: boolean): Promise<void> {
    const sent = this.#sendAfter(this.#tail, change, snapshot);
    this.#tail = sent.catch(() => undefined);
    return sent;
  }

  async #sendAfter(earlier: Promise<unknown>, change: RouteChange, snapshot: boolean): Promise<void> {
    await earlier;
    const { port } = this;
    if (this.gone || port === null) return;
    this.#revision += 1;
    const applied = port.applyRoutes({ revision: this.#revision, snapshot, ...change });
    // Nobody is sent to an edge that left, so nobody waits for it.
    const settled = Promise.race([applied, this.#left.promise]).catch((error: unknown) => {
      if (!this.gone) throw error;
    });
    await within(this.#deadlineMs, settled);
  }
}
