import { OrderedIds } from '@postern/registry';
import type { EdgeHostport, EdgeRow } from '@postern/store';

export interface EdgeEndpoint {
  readonly id: string;
  readonly edge: EdgeRow;
  readonly entry: EdgeHostport;
}

/** The endpoints that edges have, one for each hostport, in the order of their ids: an edge row holds several. */
export class EdgeEndpoints {
  readonly #endpoints = new Map<string, EdgeEndpoint>();
  readonly #byAccount = new Map<string, OrderedIds>();

  get(id: string): EdgeEndpoint | null {
    return this.#endpoints.get(id) ?? null;
  }

  /** Newest first, ids below `beforeId` only. */
  list(accountId: string, beforeId: string, limit: number): EdgeEndpoint[] {
    const ids = this.#byAccount.get(accountId)?.before(beforeId, limit) ?? [];
    return ids.flatMap((id) => this.#endpoints.get(id) ?? []);
  }

  /** A row was added, changed or removed; both null = all are gone. */
  changed(before: EdgeRow | null, after: EdgeRow | null): void {
    if (before === null && after === null) this.#clear();
    for (const { endpointId } of before?.hostports ?? []) {
      this.#endpoints.delete(endpointId);
      this.#byAccount.get(before?.accountId ?? '')?.remove(endpointId);
    }
    if (after === null) return;
    const ids = this.#byAccount.get(after.accountId) ?? new OrderedIds();
    this.#byAccount.set(after.accountId, ids);
    for (const entry of after.hostports) {
      this.#endpoints.set(entry.endpointId, { id: entry.endpointId, edge: after, entry });
      ids.add(entry.endpointId);
    }
  }

  #clear(): void {
    this.#endpoints.clear();
    this.#byAccount.clear();
  }
}
