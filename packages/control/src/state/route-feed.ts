import type { EdgePort, RouteEndpoint } from '@postern/link';

export interface RouteChange {
  readonly upserts: readonly RouteEndpoint[];
  readonly removes: readonly string[];
}

/**
 * The stream of route updates to the edge: in order, one at a time, each waited for, none longer than the deadline,
 * so that one slow or failing update never holds the others up for good.
 */
export class RouteFeed {
  readonly #deadlineMs: number;
  #edge: EdgePort | null = null;
  #revision = 0;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
  }

  get edge(): EdgePort | null {
    return this.#edge;
  }

  /** Sends everything that exists, and from then on every change. */
  attach(edge: EdgePort, everything: readonly RouteEndpoint[]): Promise<void> {
    if (this.#edge !== null) throw new Error('an edge follows already');
    this.#edge = edge;
    return this.#send({ upserts: everything, removes: [] }, true);
  }

  detach(): void {
    this.#edge = null;
  }

  /** Resolves when new requests see the change; rejects when the edge refuses it or stays silent. */
  publish(change: RouteChange): Promise<void> {
    if (this.#edge === null || (change.upserts.length === 0 && change.removes.length === 0)) return Promise.resolve();
    return this.#send(change, false);
  }

  #send(change: RouteChange, snapshot: boolean): Promise<void> {
    const sent = this.#sendAfter(this.#tail, change, snapshot);
    this.#tail = sent.catch(() => undefined);
    return sent;
  }

  async #sendAfter(earlier: Promise<unknown>, change: RouteChange, snapshot: boolean): Promise<void> {
    await earlier;
    const edge = this.#edge;
    if (edge === null) return;
    this.#revision += 1;
    await within(this.#deadlineMs, edge.applyRoutes({ revision: this.#revision, snapshot, ...change }));
  }
}

/** Rejects when `work` takes longer than `ms`; the work itself goes on. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
