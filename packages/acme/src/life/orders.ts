import { type AcmeOrderRow, type Store, timestamp, type Write } from '@postern/store';
import { COUNTED_MS, refusalOf, type WantedOrder } from './limits.ts';
import { Failure } from './failure.ts';

/** Orders of the last week in memory: which is open, and whether there may be another one. */
export class Orders {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #orders = new Map<string, AcmeOrderRow>();

  constructor(store: Store, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  async load(): Promise<void> {
    for (const order of await this.#store.all('acmeOrders')) this.#orders.set(order.id, order);
    const old = this.#old();
    if (old.length > 0) await this.#store.commit(old);
  }

  openOf(managedId: string): AcmeOrderRow | null {
    for (const order of this.#orders.values())
      if (order.managedId === managedId && order.state === 'open') return order;
    return null;
  }

  /** The same as the store has it: a node that is gone may have left one. */
  async openNow(managedId: string): Promise<AcmeOrderRow | null> {
    for (const order of await this.#store.acmeOrders.find({ managedId })) this.put(order);
    return this.openOf(managedId);
  }

  /** @throws Failure when there may be none */
  admit(wanted: WantedOrder): void {
    const refusal = refusalOf(wanted, this.#orders.values(), this.#now());
    if (refusal === null) return;
    const { words, retryAfterMs } = refusal;
    throw new Failure('RATE_LIMITED', `The certificate waits: ${words} are what the authority allows.`, {
      retryAfterMs,
      elsewhere: true,
    });
  }

  put(order: AcmeOrderRow): void {
    this.#orders.set(order.id, order);
  }

  /** What ends the order on disk; {@link ended} when it is there. */
  ending(order: AcmeOrderRow, state: 'issued' | 'failed'): Write {
    return this.#store.acmeOrders.update(order.id, { state, key: '' });
  }

  ended(order: AcmeOrderRow, state: 'issued' | 'failed'): void {
    this.#orders.set(order.id, { ...order, state, key: '' });
  }

  /** It never got to the authority. */
  async drop(order: AcmeOrderRow): Promise<void> {
    await this.#store.commit([this.#store.acmeOrders.delete(order.id)]);
    this.#orders.delete(order.id);
  }

  /** Those that count no more, as writes; they are forgotten here. */
  #old(): Write[] {
    const before = timestamp(this.#now() - COUNTED_MS);
    const old = [...this.#orders.values()].filter(({ createdAt, state }) => state !== 'open' && createdAt < before);
    for (const { id } of old) this.#orders.delete(id);
    return old.map(({ id }) => this.#store.acmeOrders.delete(id));
  }
}
