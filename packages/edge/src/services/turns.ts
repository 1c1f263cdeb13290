/**
 * Who waits for one worker, and who is next: endpoints take turns, and the addresses that ask within one endpoint do,
 * so that a flood of guesses at one place costs nobody elsewhere more than a turn. Bounded at each level.
 */
export interface Limits {
  readonly all: number;
  readonly perEndpoint: number;
  readonly perAddress: number;
}

interface Place<T> {
  waiting: number;
  /** In the order of their turns. */
  readonly addresses: Map<string, T[]>;
}

export class Turns<T> {
  readonly #limits: Limits;
  /** In the order of their turns. */
  readonly #endpoints = new Map<string, Place<T>>();
  #waiting = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** @returns false when there is no place left */
  push(endpoint: string, address: string, item: T): boolean {
    const place = this.#endpoints.get(endpoint) ?? { waiting: 0, addresses: new Map<string, T[]>() };
    const line = place.addresses.get(address) ?? [];
    const { all, perEndpoint, perAddress } = this.#limits;
    if (this.#waiting >= all || place.waiting >= perEndpoint || line.length >= perAddress) return false;
    line.push(item);
    place.addresses.set(address, line);
    place.waiting++;
    this.#waiting++;
    this.#endpoints.set(endpoint, place);
    return true;
  }

  next(): T | null {
    const [turn] = this.#endpoints;
    if (turn === undefined) return null;
    const [endpoint, place] = turn;
    const [first] = place.addresses;
    if (first === undefined) return null;
    const [address, line] = first;
    const item = line.shift();
    place.waiting--;
    this.#waiting--;
    // Behind the others, or out.
    place.addresses.delete(address);
    if (line.length > 0) place.addresses.set(address, line);
    this.#endpoints.delete(endpoint);
    if (place.waiting > 0) this.#endpoints.set(endpoint, place);
    return item ?? null;
  }
}
