import {
  within,
  type AgentUpstream,
  type EdgePort,
  type NodeSettings,
  type PolicyResource,
  type RouteEndpoint,
  type RouteUpdate,
} from '@postern/link';
import type { ResourceChange } from '../state/policy-resources.ts';

export type RouteChange = Pick<RouteUpdate, 'upserts' | 'removes'>;

export interface Everything {
  readonly routes: readonly RouteEndpoint[];
  readonly resources: readonly PolicyResource[];
}

/** What an edge takes in one go; what routes name comes before them. */
export interface EdgeChange {
  readonly routes: RouteChange;
  readonly resources: ResourceChange;
}

/** One edge that follows: its updates in order, one at a time, each waited for, none longer than the deadline. */
export interface Follower {
  /** What this node's edges share, everything that exists, and from then on every change of both. Once. */
  follow(port: EdgePort, settings: NodeSettings, everything: Everything): Promise<void>;
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
  readonly #onChange: (change: RouteChange) => void;
  readonly #edges = new Set<OneEdge>();
  readonly #bySession = new Map<string, OneEdge>();

  /** @param onChange told of what the edges are told */
  constructor(deadlineMs: number, onChange: (change: RouteChange) => void) {
    this.#deadlineMs = deadlineMs;
    this.#onChange = onChange;
  }

  /** @param name under which the other edges of this node find it; '' = it is the only one */
  add(name: string): Follower {
    const edge = new OneEdge(name, this.#deadlineMs, (sessionId) => this.#bySession.get(sessionId)?.name ?? name);
    this.#edges.add(edge);
    return {
      get gone() {
        return edge.gone;
      },
      follow: (port, settings, everything) => edge.follow(port, settings, everything),
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
  async publish(change: EdgeChange): Promise<void> {
    if (!isEmpty(change.routes)) this.#onChange(change.routes);
    else if (isEmpty(change.resources)) return;
    const applied = await Promise.allSettled([...this.#edges].map((edge) => edge.publish(change)));
    const refused = applied.find((result) => result.status === 'rejected');
    if (refused !== undefined) throw refused.reason;
  }

  /** The same for settings. One that does not take them has the old ones; `onFailure` is told. */
  async configure(settings: NodeSettings, onFailure: (error: unknown) => void): Promise<void> {
    await Promise.all([...this.#edges].map((edge) => edge.configure(settings).catch(onFailure)));
  }

  /** Tells no edge anything more. */
  close(): void {
    for (const edge of this.#edges) edge.leave();
    this.#edges.clear();
    this.#bySession.clear();
  }
}

class OneEdge {
  readonly name: string;
  readonly #deadlineMs: number;
  /** Name of the edge that has a session's wire. */
  readonly #holderOf: (sessionId: string) => string;
  port: EdgePort | null = null;
  gone = false;
  readonly #left = Promise.withResolvers<void>();
  #revision = 0;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(name: string, deadlineMs: number, holderOf: (sessionId: string) => string) {
    this.name = name;
    this.#deadlineMs = deadlineMs;
    this.#holderOf = holderOf;
  }

  leave(): void {
    this.gone = true;
    this.#left.resolve();
  }

  follow(port: EdgePort, settings: NodeSettings, { routes, resources }: Everything): Promise<void> {
    if (this.port !== null) throw new Error('this edge follows already');
    this.port = port;
    this.#tail = this.configure(settings);
    const change = { routes: { upserts: routes, removes: [] }, resources: { upserts: resources, removes: [] } };
    return this.#send(change, true);
  }

  /** Needs no order with routes, and a slow update of those holds nobody up. */
  async configure(settings: NodeSettings): Promise<void> {
    const { port } = this;
    if (!this.gone && port !== null) await this.#told(port.applySettings(settings));
  }

  publish(change: EdgeChange): Promise<void> {
    // What it has not followed yet, its snapshot will hold.
    return this.port === null ? Promise.resolve() : this.#send(change, false);
  }

  #send(change: EdgeChange, snapshot: boolean): Promise<void> {
    const sent = this.#sendAfter(this.#tail, change, snapshot);
    this.#tail = sent.catch(() => undefined);
    return sent;
  }

  async #sendAfter(earlier: Promise<unknown>, change: EdgeChange, snapshot: boolean): Promise<void> {
    await earlier;
    const { port } = this;
    if (this.gone || port === null) return;
    await this.#told(this.#apply(port, change, snapshot));
  }

  async #told(applied: Promise<void>): Promise<void> {
    // Nobody is sent to an edge that left, so nobody waits for it.
    const settled = Promise.race([applied, this.#left.promise]).catch((error: unknown) => {
      if (!this.gone) throw error;
    });
    await within(this.#deadlineMs, settled);
  }

  async #apply(port: EdgePort, { routes, resources }: EdgeChange, snapshot: boolean): Promise<void> {
    if (snapshot || !isEmpty(resources)) await port.applyResources({ snapshot, ...resources });
    if (!snapshot && isEmpty(routes)) return;
    this.#revision += 1;
    const { removes } = routes;
    await port.applyRoutes({ revision: this.#revision, snapshot, upserts: this.#placed(routes.upserts), removes });
  }

  /** Says of each upstream which edge has it, where that is another one. */
  #placed(endpoints: readonly RouteEndpoint[]): readonly RouteEndpoint[] {
    if (this.name === '') return endpoints;
    const place = (upstream: AgentUpstream): AgentUpstream => {
      const edge = this.#holderOf(upstream.sessionId);
      return edge === this.name ? upstream : { ...upstream, edge };
    };
    return endpoints.map((endpoint) =>
      endpoint.kind === 'cloud'
        ? endpoint
        : {
            ...endpoint,
            upstreams: endpoint.upstreams.map(place),
            routes: endpoint.routes.map((route) => ({ ...route, upstreams: route.upstreams.map(place) })),
          },
    );
  }
}

function isEmpty({ upserts, removes }: RouteChange | ResourceChange): boolean {
  return upserts.length === 0 && removes.length === 0;
}
