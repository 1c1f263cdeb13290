import { addressKey } from '@postern/registry';
import type {
  Committed,
  EdgeRouteRow,
  EdgeRow,
  EndpointRow,
  Guards,
  Repositories,
  Repository,
  ReservedAddrRow,
  ReservedDomainRow,
  Store,
  TableName,
  Tables,
  TunnelGroupBackendRow,
  Write,
} from '@postern/store';
import { ChangesForgotten, StoreUnavailable, TABLE_NAMES } from '@postern/store';
import { hostportAddress } from '../addresses/hostports.ts';
import { certificateKey } from './certificate-key.ts';
import { EdgeEndpoints } from './edge-endpoints.ts';
import { Mirror } from './mirror.ts';
import { PolicyResources } from './policy-resources.ts';

/** Changes that are read at once. */
const CHANGES = 1_000;

/**
 * Everything durable that claims and routes are decided from. Rows get in through {@link Catalog.commit}, after the
 * store has them, so what is decided here is never ahead of the disk; and through {@link Catalog.catchUp} where somebody
 * else wrote them, so it may be behind. What is committed says up to where it was seen (`revision`).
 */
export class Catalog {
  readonly endpoints = new Mirror<EndpointRow>((row) => [addressKey(row)]);
  readonly edgeEndpoints = new EdgeEndpoints();
  readonly edges = new Mirror<EdgeRow>(edgeKeys, (before, after) => this.edgeEndpoints.changed(before, after));
  readonly edgeRoutes = new Mirror<EdgeRouteRow>((row) => [`edge:${row.edgeId}`, `backend:${row.backendId}`]);
  readonly backends = new Mirror<TunnelGroupBackendRow>();
  readonly domains = new Mirror<ReservedDomainRow>(({ domain, certificateId }) =>
    certificateId === '' ? [domain] : [domain, certificateKey(certificateId)],
  );
  readonly addrs = new Mirror<ReservedAddrRow>((row) => [row.addr, `port:${row.port}`]);
  readonly users = new Mirror<Tables['applicationUsers']>();
  readonly logins = new Mirror<Tables['applicationSessions']>(({ applicationUserId }) => [applicationUserId]);
  readonly resources = new PolicyResources();
  readonly #store: Store;
  readonly #onDoubt: () => void;
  readonly #onWritten: (writes: readonly Write[]) => void;
  /** A write may have happened that is not in here. */
  #doubtful = false;
  /** Every change up to this one is in here; -1 = nothing is loaded yet. */
  #revision = -1;
  #caughtUp: Promise<void> = Promise.resolve();
  readonly #mirrors: { readonly [T in TableName]?: Mirror<Tables[T]> };

  /**
   * @param onDoubt called once when it is not known whether a write happened: `load` has to be called again
   * @param onWritten told of what is on disk; must not throw
   */
  constructor(store: Store, onDoubt: () => void = () => {}, onWritten: (writes: readonly Write[]) => void = () => {}) {
    this.#store = store;
    this.#onWritten = onWritten;
    this.#onDoubt = onDoubt;
    this.#mirrors = {
      endpoints: this.endpoints,
      edges: this.edges,
      edgeRoutes: this.edgeRoutes,
      tunnelGroupBackends: this.backends,
      reservedDomains: this.domains,
      reservedAddrs: this.addrs,
      applicationUsers: this.users,
      applicationSessions: this.logins,
      ...this.resources.mirrors,
    };
  }

  get revision(): number {
    return this.#revision;
  }

  async load(): Promise<void> {
    const revision = await this.#store.revision();
    await Promise.all(TABLE_NAMES.map((table) => this.#loadTable(table)));
    this.#revision = revision;
    this.#doubtful = false;
  }

  /** Takes in what others have committed, up to now. What is written here meanwhile is read again, not lost. */
  catchUp(): Promise<void> {
    const caughtUp = this.#caughtUp.then(() => this.#follow());
    this.#caughtUp = caughtUp.catch(() => undefined);
    return caughtUp;
  }

  async #follow(): Promise<void> {
    if (this.#revision < 0) await this.load();
    for (;;) {
      // Each batch begins where the one before it ended.
      // oxlint-disable-next-line no-await-in-loop
      const changes = await this.#store.changesSince(this.#revision, CHANGES).catch(async (error: unknown) => {
        if (!(error instanceof ChangesForgotten)) throw error;
        await this.load();
        return null;
      });
      if (changes?.length === 0) return;
      const changed = new Map(changes?.map(({ table, id }) => [`${table} ${id}`, { table, id }]));
      // oxlint-disable-next-line no-await-in-loop
      await Promise.all([...changed.values()].map(({ table, id }) => this.#readAgain(table, id)));
      this.#revision = Math.max(this.#revision, changes?.at(-1)?.revision ?? 0);
    }
  }

  /** @returns the row as it is now; null = it is gone, or its table is not mirrored */
  async #readAgain<T extends TableName>(table: T, id: string): Promise<Tables[T] | null> {
    const mirror = this.#mirrors[table];
    if (mirror === undefined) return null;
    const repositories: Repositories = this.#store;
    const repository: Repository<Tables[T]> = repositories[table];
    const row = await repository.get(id);
    if (row === null) mirror.drop(id);
    else mirror.put(row);
    return row;
  }

  /**
   * Makes the writes durable, then visible to claims. Throws what the store throws; nothing has happened then, unless
   * a StoreUnavailable says that this is unknown: from then on everything is refused until `load` has found out.
   */
  async commit(writes: readonly Write[], guards: Guards): Promise<void> {
    if (this.#doubtful) throw new StoreUnavailable('it is not known yet whether an earlier write happened');
    let committed: Committed;
    try {
      committed = await this.#store.commit(writes, guards);
    } catch (error) {
      if (writes.length > 0 && error instanceof StoreUnavailable && error.applied === 'unknown') {
        this.#doubtful = true;
        this.#onDoubt();
      }
      throw error;
    }
    for (const write of writes) this.#apply(write);
    this.#onWritten(writes);
    if (committed.follows <= this.#revision) this.#revision = Math.max(this.#revision, committed.revision);
    // Somebody else wrote in between. Who decides on that before it is in here is told so by the guards.
    else void this.catchUp().catch(() => undefined);
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

  async #loadTable(table: TableName): Promise<void> {
    const mirror = this.#mirrorOf(table);
    if (mirror === undefined) return;
    const rows = await this.#store.all(table);
    mirror.clear();
    for (const row of rows.toSorted((a, b) => (a.id < b.id ? -1 : 1))) mirror.put(row);
  }

  /** Of rows of the table that somebody names; the union type does not tie the two together. */
  #mirrorOf(table: TableName): Mirror<Tables[TableName]> | undefined {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return this.#mirrors[table] as Mirror<Tables[TableName]> | undefined;
  }

  #apply(write: Write): void {
    const mirror = this.#mirrorOf(write.table);
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
