/**
 * Who waits, in the order in which turns come: endpoint after endpoint, at each of them visitor network after visitor
 * network, and of one network whoever came first. However many places one network or one endpoint asks for, the others
 * wait for one turn of it at most.
 */
export interface Queued {
  readonly network: string;
  readonly endpointId: string;
  /** What keeps its place for long has a line of its own: other bounds hold for it. */
  readonly long: boolean;
}

/** A ring: the first key is next, and goes to the end when it has had its turn. */
type Ring<T> = Map<string, T>;

export class FairQueue<T extends Queued> {
  /** null = nobody has ever waited, as at most sessions. */
  #endpoints: Ring<Ring<Set<T>>> | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: T): void {
    const endpoints = (this.#endpoints ??= new Map());
    let networks = endpoints.get(item.endpointId);
    if (networks === undefined) endpoints.set(item.endpointId, (networks = new Map()));
    const name = lineOf(item);
    let line = networks.get(name);
    if (line === undefined) networks.set(name, (line = new Set()));
    line.add(item);
    this.#size += 1;
  }

  /** @returns whether it was there */
  remove(item: T): boolean {
    const networks = this.#endpoints?.get(item.endpointId);
    const name = lineOf(item);
    const line = networks?.get(name);
    if (networks === undefined || line?.delete(item) !== true) return false;
    this.#size -= 1;
    if (line.size === 0) networks.delete(name);
    if (networks.size === 0) this.#endpoints?.delete(item.endpointId);
    return true;
  }

  /** Takes out the next one that may go, and gives its network and endpoint their next turn last. */
  take(mayGo: (item: T) => boolean): T | null {
    const endpoints = this.#endpoints;
    if (endpoints === null) return null;
    for (const [endpointId, networks] of endpoints) {
      for (const [name, line] of networks) {
        const [first] = line;
        // What keeps the first from going keeps all of its line.
        if (first === undefined || !mayGo(first)) continue;
        this.remove(first);
        turnLast(networks, name);
        turnLast(endpoints, endpointId);
        return first;
      }
    }
    return null;
  }

  /** Takes all out. */
  drain(): T[] {
    const all: T[] = [];
    for (const networks of this.#endpoints?.values() ?? []) for (const line of networks.values()) all.push(...line);
    this.#endpoints = null;
    this.#size = 0;
    return all;
  }

  /** In no order that matters. */
  *[Symbol.iterator](): Iterator<T> {
    for (const networks of this.#endpoints?.values() ?? []) for (const line of networks.values()) yield* line;
  }
}

function lineOf(item: Queued): string {
  return item.long ? `${item.network} long` : item.network;
}

function turnLast<T>(ring: Ring<T>, key: string): void {
  const entry = ring.get(key);
  if (entry === undefined) return;
  ring.delete(key);
  ring.set(key, entry);
}
