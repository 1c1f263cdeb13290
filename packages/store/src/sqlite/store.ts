import { createIdSource, type IdSource } from '../ids.ts';
import { storePaths } from '../paths.ts';
import { createRepositories, readAll, readRows, type Read } from '../repositories.ts';
import { selectAll } from '../schema/statements.ts';
import { ACCOUNTS } from '../schema/tables.ts';
import { compileWrite } from '../schema/writes.ts';
import { createSecretBox } from '../secrets.ts';
import { timestamp } from '../timestamp.ts';
import type { AccountRow, Store, StoreHealth } from '../types.ts';
import { StoreClient } from './client.ts';
import type { StoreFaults } from './faults.ts';

export interface OpenStoreOptions {
  /** The data directory; the database in it is `postern.db`. */
  readonly directory: string;
  /** 32 bytes; see `loadOrCreateKey`. */
  readonly encryptionKey: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Makes the ids of the first account, on first use of a directory. */
  readonly ids?: IdSource;
  /** Called whenever writing begins to fail or to work again. */
  readonly onHealth?: (health: StoreHealth) => void;
  /** How many changes the log keeps. */
  readonly keepChanges?: number;
  /** Most pages (of 4 KiB) that the database may have; for tests of a full disk. */
  readonly maxPages?: number;
  /** For tests. */
  readonly faults?: StoreFaults;
}

/**
 * Opens the store of a data directory, making the database on first use, and keeps every other process out of it
 * until it is closed.
 * @throws StoreRefused with what to do: `in_use`, `damaged`, `too_new`, `foreign`, `wrong_key`, `no_access`
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const now = options.now ?? Date.now;
  const secrets = createSecretBox(options.encryptionKey);
  const client = await StoreClient.start(
    {
      paths: storePaths(options.directory),
      encryptionKey: options.encryptionKey,
      firstAccount: firstAccount(options.ids ?? createIdSource({ now }), now()),
      keepChanges: options.keepChanges ?? 100_000,
      maxPages: options.maxPages ?? null,
      faults: options.faults?.memory ?? null,
    },
    { onHealth: options.onHealth ?? (() => {}) },
  );
  const read: Read = (statement) => client.ask('read', { statement });

  return {
    ...createRepositories(read, secrets),
    accounts: () => readRows<AccountRow>(ACCOUNTS, selectAll(ACCOUNTS), read, secrets),
    all: (table) => readAll(table, read, secrets),
    async commit(writes, guards) {
      const statements = writes.map((write) => compileWrite(write, secrets));
      return client.ask('commit', { writes: statements, guards: guards ?? null });
    },
    changesSince: (revision, limit = 1000) => client.ask('changes', { after: revision, limit }),
    revision: () => client.ask('revision', null),
    get health() {
      return client.health;
    },
    secrets,
    async backup(targetPath) {
      await client.ask('backup', { target: targetPath });
    },
    close: () => client.close(),
  };
}

function firstAccount(ids: IdSource, now: number): AccountRow {
  return { id: ids.next('ac'), name: 'Default', ownerUserId: ids.next('usr'), createdAt: timestamp(now) };
}
