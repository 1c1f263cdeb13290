/**
 * Durable resources as rows, and the asynchronous repositories over them. SQLite implements this today; PostgreSQL
 * will, and must pass the same suite (`contract/`). Writes are values: control collects what belongs together and
 * commits it as one durable transaction, so that nothing interactive stands open on a database.
 */
import type { Binding, Scheme } from '@postern/link';
import type { PlainRows, RowHead } from '@postern/resources';

/** Whole seconds, RFC 3339 UTC: `2026-11-24T23:15:57Z`. */
export type Timestamp = string;

/** What every row of an account has. */
export type Row = RowHead;

export interface AccountRow {
  readonly id: string;
  readonly name: string;
  /** `usr_…`: the human who owns it; has no uri. */
  readonly ownerUserId: string;
  readonly createdAt: Timestamp;
}

/** Rows of plain resources are what their definitions say (`@postern/resources`); these have names because rules use them. */
export type BotUserRow = PlainRows['botUsers'];
/** `ownerId` '' = owned by the account's human; `tokenHash` is of the secret part (SHA-256, hex), the token is not kept. */
export type CredentialRow = PlainRows['credentials'];
/** `domain` in lower case, `*.` first for a wildcard; `automatic` = made by creating an endpoint. */
export type ReservedDomainRow = PlainRows['reservedDomains'];
/** `addr` is `host:port`; `automatic` as above. */
export type ReservedAddrRow = PlainRows['reservedAddrs'];
export type TunnelGroupBackendRow = PlainRows['tunnelGroupBackends'];

/** A cloud endpoint; ephemeral ones live in the registry, edge rows follow from edges. */
export interface EndpointRow extends Row {
  readonly updatedAt: Timestamp;
  /** As the client wrote it, but for the scheme's case and the default port of http and https. */
  readonly url: string;
  readonly scheme: Scheme;
  readonly host: string;
  readonly port: number;
  readonly binding: Binding;
  readonly poolingEnabled: boolean;
  readonly trafficPolicy: string;
  readonly description: string;
  readonly metadata: string;
  /** Reservation that covers the URL, or ''. */
  readonly domainId: string;
  readonly tcpAddrId: string;
  /** Principal that created it: `usr_…` or `bot_…`. */
  readonly principalId: string;
}

export interface EdgeHostport {
  /** `host:port` as given. */
  readonly hostport: string;
  /** Id of the endpoint row (type edge) that this hostport is. */
  readonly endpointId: string;
  readonly createdAt: Timestamp;
}

/** HTTPS, TLS and TCP edges share one shape; `routes` is for https, `backendId` for the others. */
export interface EdgeRow extends Row {
  readonly kind: Exclude<Scheme, 'http'>;
  readonly updatedAt: Timestamp;
  readonly description: string;
  readonly metadata: string;
  readonly hostports: readonly EdgeHostport[];
  /** tls, tcp: the edge's backend module; '' = none. */
  readonly backendId: string;
  readonly backendEnabled: boolean;
}

export interface EdgeRouteRow extends Row {
  readonly edgeId: string;
  readonly matchType: 'exact_path' | 'path_prefix';
  readonly match: string;
  readonly description: string;
  readonly metadata: string;
  readonly backendId: string;
  readonly backendEnabled: boolean;
}

/** Names that are kept certified together: of base domains (`domainId` ''), or of a reserved domain. */
export interface ManagedCertificateRow extends Row {
  /** Lower case; `*.` first for a wildcard. */
  readonly names: readonly string[];
  readonly domainId: string;
  readonly keyType: 'ecdsa' | 'rsa';
  /** What is served (tlsCertificates); '' = none yet. */
  readonly certificateId: string;
  /** Directory of who issued it. */
  readonly directory: string;
  /** How control of the names was shown last, and why so. */
  readonly challenge: string;
  /** When the next one is ordered; '' = there is none to renew. Other times, too, are '' where there is none. */
  readonly renewsAt: Timestamp;
  /** Of tries that failed since the last that did not: how many, when the next one is, and what was wrong. */
  readonly attempts: number;
  readonly retriesAt: Timestamp;
  readonly errorCode: string;
  readonly message: string;
  /** When what is under way began; '' = nothing is. */
  readonly startedAt: Timestamp;
  /** The node that works on it, and until when nobody else does. */
  readonly holder: string;
  readonly heldUntil: Timestamp;
}

/** A log-in that was ended before its time, or, with the id of a user, all that he began before. Kept while it matters. */
export interface EndedLoginRow extends Row {
  /** Unix milliseconds: sessions of the user that began earlier are over; 0 = it is the session of this id. */
  readonly begunBefore: number;
  /** Unix milliseconds: no browser has anything of it that still counts. */
  readonly until: number;
  /** The visitor, or his provider, has ended it; else somebody has deleted it. */
  readonly byVisitor: boolean;
}

/** Accounts at certificate authorities; `url` '' = made here and not told to the authority yet. */
export interface AcmeAccountRow extends Row {
  readonly directory: string;
  readonly email: string;
  readonly url: string;
  /** PKCS #8, PEM. */
  readonly key: string;
}

/** Orders: what is open goes on after a crash, and what was is counted against the limits of authorities. */
export interface AcmeOrderRow extends Row {
  readonly managedId: string;
  readonly directory: string;
  /** '' = it may not have reached the authority. */
  readonly url: string;
  readonly names: readonly string[];
  /** Of the certificate that is asked for, as above; '' once it is over. */
  readonly key: string;
  readonly state: 'open' | 'issued' | 'failed';
}

export interface Tables extends PlainRows {
  managedCertificates: ManagedCertificateRow;
  acmeAccounts: AcmeAccountRow;
  acmeOrders: AcmeOrderRow;
  endpoints: EndpointRow;
  edges: EdgeRow;
  edgeRoutes: EdgeRouteRow;
  endedLogins: EndedLoginRow;
}
export type TableName = keyof Tables;

/** A change that has not happened yet; only `Store.commit` makes it happen. Plain data. */
export type Write =
  | { readonly op: 'insert'; readonly table: TableName; readonly row: Tables[TableName] }
  /** Fails the commit with StoreConflict 'missing' if no such row exists. */
  | {
      readonly op: 'update';
      readonly table: TableName;
      readonly id: string;
      readonly patch: Partial<Tables[TableName]>;
    }
  | { readonly op: 'delete'; readonly table: TableName; readonly id: string };

/**
 * What a commit was decided on. It happens only if that is so still, however many decide at once and wherever they are.
 *
 * Keys are the deciders' own words for what they looked at: a name, a port, the id of a row. Each row that a commit
 * writes counts as a key that it had alone, by its id, whether the commit had guards or not. So "the row is as it was",
 * "there is no such row" and "nobody else took the name" are all said by naming them here.
 */
export interface Guards {
  /** The decider has seen what every commit up to this revision did. */
  readonly asOf: number;
  /** No commit since may have had one of these, alone or shared; `everything`: there may be no commit since. */
  readonly alone: readonly string[] | 'everything';
  /** No commit since may have had one of these alone. */
  readonly shared: readonly string[];
}

export interface Committed {
  /** Of its last change, or the newest there is if it made none. */
  readonly revision: number;
  /** The revision that its first change came right after: between the two there is nobody else's. */
  readonly follows: number;
}

export interface ListQuery {
  readonly accountId: string;
  /** Rows with a smaller id only (exclusive; the row itself need not exist). */
  readonly beforeId?: string;
  /** At most this many, newest (largest id) first. Default: all. */
  readonly limit?: number;
}

export interface Repository<R extends Row> {
  get(id: string): Promise<R | null>;
  list(query: ListQuery): Promise<R[]>;
  /**
   * Equality on all given fields, every account, oldest first; for uniqueness and lookups.
   * @throws TypeError unless one of the fields is indexed (`schema/tables.ts`)
   */
  find(where: Partial<R>): Promise<R[]>;
  insert(row: R): Write;
  update(id: string, patch: Partial<R>): Write;
  delete(id: string): Write;
}

export interface Change {
  readonly revision: number;
  readonly table: TableName;
  readonly id: string;
  readonly op: Write['op'];
}

export type Repositories = { readonly [T in TableName]: Repository<Tables[T]> };

export interface Store extends Repositories {
  /** The accounts, oldest first. A fresh database has one, made by the first migration. */
  accounts(): Promise<AccountRow[]>;
  /** All rows of a table, for loading state at start. */
  all<T extends TableName>(table: T): Promise<Tables[T][]>;
  /**
   * Applies all writes or none, durably (fsync) before it resolves, and appends them to the change log.
   * Deleting what is not there changes nothing and is no error.
   * @param guards looked at in the same transaction, before the writes
   * @throws StoreOvertaken when the guards do not hold: to be looked at and decided anew
   * @throws StoreConflict when a unique value is taken or a row to update is missing
   * @throws StoreUnavailable when the database could not write (disk full, fsync failed); nothing was applied
   */
  commit(writes: readonly Write[], guards?: Guards): Promise<Committed>;
  /**
   * Changes after `revision`, in order, at most `limit` (default 1,000).
   * @throws ChangesForgotten when some of them are no longer kept (the last 100,000 are): load everything again
   */
  changesSince(revision: number, limit?: number): Promise<Change[]>;
  /** Of the newest change; 0 when there was none. Ask before loading `all`, then follow with `changesSince`. */
  revision(): Promise<number>;
  readonly health: StoreHealth;
  /** Encrypts a secret for a column (AES-256-GCM with the installation's key); `open` reverses it. */
  readonly secrets: SecretBox;
  /**
   * A consistent copy of the database while it runs, as one new file. The encryption key is not in it.
   * @throws StoreRefused `target_exists`, `no_access`
   */
  backup(targetPath: string): Promise<void>;
  close(): Promise<void>;
}

export interface StoreHealth {
  /** false after a failed commit, true again after one that succeeded (a probe write runs while false). */
  readonly writable: boolean;
  readonly lastError: string;
}

export interface SecretBox {
  seal(plaintext: string, context: string): string;
  open(sealed: string, context: string): string;
  /** HMAC-SHA256 with a key derived from the installation's key, base64url; for resume tokens. */
  sign(payload: string): string;
}

export class StoreConflict extends Error {
  override readonly name = 'StoreConflict';
  readonly kind: 'unique' | 'missing';
  readonly table: TableName;
  /** Row field names of the unique key, e.g. ['domain']. */
  readonly fields: readonly string[];
  constructor(kind: 'unique' | 'missing', table: TableName, fields: readonly string[]) {
    super(kind === 'unique' ? `${table}: ${fields.join(', ')} already taken` : `${table}: no such row`);
    this.kind = kind;
    this.table = table;
    this.fields = fields;
  }
}

/** Somebody committed what a decision rests on, after it was looked at. */
export class StoreOvertaken extends Error {
  override readonly name = 'StoreOvertaken';
  constructor(key: string) {
    super(`somebody else has changed ${key} meanwhile`);
  }
}

export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  /**
   * 'no': nothing was applied. 'unknown': the disk or the database went silent, so that it may or may not have been;
   * whoever asks again must look first.
   */
  readonly applied: 'no' | 'unknown';
  constructor(message: string, applied: 'no' | 'unknown' = 'no') {
    super(message);
    this.applied = applied;
  }
}

/** A follower was away for too long. */
export class ChangesForgotten extends Error {
  override readonly name = 'ChangesForgotten';
  constructor(asked: number, oldest: number) {
    super(
      `changes after revision ${asked} were asked for, but only those after ${oldest} are kept; load all rows again`,
    );
  }
}
