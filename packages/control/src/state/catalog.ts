import { addressKey } from '@postern/registry';
import type {
  EdgeRouteRow,
  EdgeRow,
  EndpointRow,
  ReservedAddrRow,
  ReservedDomainRow,
  Store,
  TableName,
  Tables,
  TunnelGroupBackendRow,
  Write,
} from '@postern/store';
import { StoreUnavailable } from '@postern/store';
import { hostportAddress } from '../addresses/hostports.ts';
import { EdgeEndpoints } from './edge-endpoints.ts';
import { Mirror } from './mirror.ts';

/**
 * Everything durable that claims and routes are decided from. Rows get in through {@link Catalog.commit} only, after
 * the store has them; so what is decided here is never ahead of the disk.
 */
export class Catalog {
  readonly endpoints = new Mirror<EndpointRow>((row) => [addressKey(row)]);
  readonly edgeEndpoints = new EdgeEndpoints();
  readonly edges = new Mirror<EdgeRow>(edgeKeys, (before, after) => this.edgeEndpoints.changed(before, after));
  readonly edgeRoutes = new Mirror<EdgeRouteRow>((row) => [`edge:${row.edgeId}`, `backend:${row.backendId}`]);
  readonly backends = new Mirror<TunnelGroupBackendRow>();
  readonly domains = new Mirror<ReservedDomainRow>((row) => [row.domain]);
  readonly addrs = new Mirror<ReservedAddrRow>((row) => [row.addr, `port:${row.port}`]);
  readonly #store: Store;
  readonly #onDoubt: () => void;
  /** A write may have happened that is not in here. */
  #doubtful = false;
  readonly #mirrors: { readonly [T in TableName]?: Mirror<Tables[T]> };

  /** @param onDoubt called once when it is not known whether a write happened: `load` has to be called again */
  constructor(store: Store, onDoubt: () => void = () => {}) {
    this.#store = store;
    this.#onDoubt = onDoubt;
    this.#mirrors = {
      endpoints: this.endpoints,
      edges: this.edges,
      edgeRoutes: this.edgeRoutes,
      tunnelGroupBackends: this.backends,
      reservedDomains: this.domains,
      reservedAddrs: this.addrs,
    };
  }

  async load(): Promise<void> {
    await Promise.all([
      this.#loadTable('endpoints', this.endpoints),
      this.#loadTable('edges', this.edges),
      this.#loadTable('edgeRoutes', this.edgeRoutes),
      this.#loadTable('tunnelGroupBackends', this.backends),
      this.#loadTable('reservedDomains', this.domains),
      this.#loadTable('reservedAddrs', this.addrs),
    ]);
    this.#doubtful = false;
  }

  /**
   * Makes the writes durable, then visible to claims. Throws what the store throws; nothing has happened then, unless
   * a StoreUnavailable says that this is unknown: from then on everything is refused until `load` has found out.
   */
  async commit(writes: readonly Write[]): Promise<void> {
    if (writes.length === 0) return;
    if (this.#doubtful) throw new StoreUnavailable('it is not known yet whether an earlier write happened');
    try {
      await this.#store.commit(writes);
    } catch (error) {
      if (error instanceof StoreUnavailable && error.applied === 'unknown') {
        this.#doubtful = true;
        this.#onDoubt();
      }
      throw error;
    }
    for (const write of writes) this.#apply(write);
  }

  /** A row of a table that is mirrored; null for those of others. */
  row<T extends TableName>(table: T, id: string): Tables[T] | null {
    return this.#mirrors[table]?.get(id) ?? null;
  }

  /** Routes of an HTTPS edge, oldest first. */
  routesOf(edgeId: string): EdgeRouteRow[] {
    return this.edgeRoutes.at(`edge:${edgeId}`).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Edges that send traffic to the backend, by themselves or by a route. */
  edgesUsing(backendId: string): EdgeRow[] {
    const found = new Map(this.edges.at(`backend:${backendId}`).map((edge) => [edge.id, edge]));
    for (const route of this.edgeRoutes.at(`backend:${backendId}`)) {
      const edge = this.edges.get(route.edgeId);
      if (edge !== null) found.set(edge.id, edge);
    }
    return [...found.values()];
  }

  async #loadTable<T extends TableName>(table: T, mirror: Mirror<Tables[T]>): Promise<void> {
    const rows = await this.#store.all(table);
    mirror.clear();
    for (const row of rows.toSorted((a, b) => (a.id < b.id ? -1 : 1))) mirror.put(row);
  }

  #apply(write: Write): void {
    // A Write carries a row of the table that it names; the union type does not tie the two together.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const mirror = this.#mirrors[write.table] as Mirror<Tables[TableName]> | undefined;
    if (mirror === undefined) return;
    if (write.op === 'insert') mirror.put(write.row);
    else if (write.op === 'delete') mirror.drop(write.id);
    else {
      const row = mirror.get(write.id);
      if (row !== null) mirror.put({ ...row, ...write.patch });
    }
  }
}

function edgeKeys(row: EdgeRow): string[] {
  const keys = row.hostports.flatMap(({ hostport }) => {
    const address = hostportAddress(row.kind, hostport);
    return address === null ? [] : [addressKey({ ...address, accountId: row.accountId })];
  });
  if (row.backendId !== '') keys.push(`backend:${row.backendId}`);
  return keys;
}
