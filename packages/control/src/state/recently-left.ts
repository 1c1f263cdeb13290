import { addressKey, type TunnelRecord } from '@postern/registry';

/** More are forgotten, oldest first. */
const MOST = 20_000;

/**
 * Addresses whose agent lost its connection and may be back in a moment: whoever asks for just any address gets
 * another one, and who names one holds it only until the owner shows its resume token.
 */
export class RecentlyLeft {
  readonly #left = new Map<string, { readonly endpointId: string; readonly until: number }>();
  readonly #now: () => number;
  readonly #keepMs: number;

  constructor(now: () => number, keepMs: number) {
    this.#now = now;
    this.#keepMs = keepMs;
  }

  add(tunnel: TunnelRecord): void {
    if (tunnel.endpoint === null) return;
    const key = addressKey({ ...tunnel.endpoint, accountId: tunnel.accountId });
    this.#left.delete(key);
    this.#left.set(key, { endpointId: tunnel.endpoint.id, until: this.#now() + this.#keepMs });
    for (const oldest of this.#left.keys()) {
      if (this.#left.size <= MOST) break;
      this.#left.delete(oldest);
    }
  }

  /** The endpoint whose owner may come back to the address, or null. */
  ownerOf(key: string): string | null {
    const entry = this.#left.get(key);
    if (entry === undefined) return null;
    if (entry.until > this.#now()) return entry.endpointId;
    this.#left.delete(key);
    return null;
  }

  forget(key: string): void {
    this.#left.delete(key);
  }
}
