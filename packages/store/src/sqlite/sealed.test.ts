/** What the files of a data directory show to someone who has them and not the key. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { backupStore } from '../maintenance.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { storePaths } from '../paths.ts';
import { openTestStore, temporaryDirectory } from '../testing/directory.ts';
import type { EndpointRow, Store } from '../types.ts';
import { openDatabase, scalar } from './driver.ts';

const SECRET = 'correct-horse-battery-staple';
const POLICY = `on_http_request: [{ actions: [{ type: basic-auth, config: { credentials: ["me:${SECRET}"] } }] }]`;

function endpointRow(id: string, trafficPolicy: string): EndpointRow {
  return {
    id,
    accountId: 'ac_1',
    createdAt: '2026-11-24T23:15:57Z',
    updatedAt: '2026-11-24T23:15:57Z',
    url: `https://${id}.test`,
    scheme: 'https',
    host: `${id}.test`,
    port: 443,
    binding: 'public',
    poolingEnabled: false,
    trafficPolicy,
    description: '',
    metadata: '',
    domainId: '',
    tcpAddrId: '',
    principalId: 'usr_1',
  };
}

const filesWith = (directory: string, text: string): string[] =>
  readdirSync(directory).filter((name) => readFileSync(join(directory, name)).includes(text));

/** Does something to the database behind the store's back. */
function underneath(directory: string, ...statements: readonly string[]): void {
  const db = openDatabase(storePaths(directory).database, { busyMs: 1000 });
  for (const sql of statements) db.exec(sql);
  db.close();
}

/** What later migrations have added is not there. */
function backToVersionOne(): readonly string[] {
  const steps = MIGRATIONS.filter(({ version }) => version > 1).flatMap((migration) => migration.steps);
  const undone = steps.flatMap((step) => {
    if (step.do === 'create-table') return [`DROP TABLE "${step.table.name}"`];
    return step.do === 'add-column' ? [`ALTER TABLE "${step.table}" DROP COLUMN "${step.column.name}"`] : [];
  });
  return [...undone, 'PRAGMA user_version = 1'];
}

const policiesOf = async (store: Store): Promise<readonly string[]> =>
  (await store.all('endpoints')).map(({ trafficPolicy }) => trafficPolicy);

describe('traffic policies', () => {
  test('come back as written, and lie sealed in database, log and backup', async () => {
    const directory = temporaryDirectory();
    const store = await openTestStore(directory);
    await store.commit([store.endpoints.insert(endpointRow('ep_1', POLICY))]);
    await store.commit([store.endpoints.update('ep_1', { trafficPolicy: `${POLICY} ` })]);
    await store.commit([store.endpoints.update('ep_1', { description: 'other' })]);
    await backupStore({ directory, to: join(directory, 'backup.db') });
    expect(await store.endpoints.get('ep_1')).toMatchObject({ trafficPolicy: `${POLICY} `, description: 'other' });
    expect(await store.endpoints.find({ url: 'https://ep_1.test' })).toMatchObject([{ trafficPolicy: `${POLICY} ` }]);
    expect(await store.endpoints.list({ accountId: 'ac_1' })).toMatchObject([{ trafficPolicy: `${POLICY} ` }]);
    expect(filesWith(directory, 'ep_1.test')).toContain('backup.db');
    expect(filesWith(directory, SECRET)).toEqual([]);
    await store.close();
    expect(filesWith(directory, SECRET)).toEqual([]);
  });

  test('cannot be looked for, and do not open in another row', async () => {
    const directory = temporaryDirectory();
    const store = await openTestStore(directory);
    await store.commit([
      store.endpoints.insert(endpointRow('ep_1', POLICY)),
      store.endpoints.insert(endpointRow('ep_2', 'x')),
    ]);
    await expect(store.endpoints.find({ id: 'ep_1', trafficPolicy: POLICY })).rejects.toThrow(/sealed/);
    await store.close();
    const policy = (id: string): string => `(SELECT "traffic_policy" FROM "endpoints" WHERE "id" = '${id}')`;
    underneath(directory, `UPDATE "endpoints" SET "traffic_policy" = ${policy('ep_1')} WHERE "id" = 'ep_2'`);
    const again = await openTestStore(directory);
    expect(await again.endpoints.get('ep_1')).toMatchObject({ trafficPolicy: POLICY });
    await expect(again.endpoints.get('ep_2')).rejects.toThrow(/another place/);
  });

  test('of an older database are sealed when it is opened, and nothing of them is left open', async () => {
    const directory = temporaryDirectory();
    const store = await openTestStore(directory);
    const long = `${POLICY} # ${`${SECRET} `.repeat(2000)}`;
    for (const id of ['ep_1', 'ep_2', 'ep_3']) {
      await store.commit([store.endpoints.insert(endpointRow(id, id))]);
    }
    await store.close();
    // What version 1 wrote, and a row that it had and deleted.
    underneath(
      directory,
      `UPDATE "endpoints" SET "traffic_policy" = '${POLICY}' WHERE "id" = 'ep_1'`,
      `UPDATE "endpoints" SET "traffic_policy" = '${long}' WHERE "id" <> 'ep_1'`,
      `DELETE FROM "endpoints" WHERE "id" = 'ep_3'`,
      ...backToVersionOne(),
    );
    expect(filesWith(directory, SECRET)).toEqual(['postern.db']);
    const again = await openTestStore(directory);
    expect(filesWith(directory, SECRET)).toEqual([]);
    expect(await policiesOf(again)).toEqual([POLICY, long]);
    await again.close();
    expect(filesWith(directory, SECRET)).toEqual([]);
    expect(await policiesOf(await openTestStore(directory))).toEqual([POLICY, long]);
  });
});

test.skipIf(process.platform === 'win32')(
  'every file is for its owner only, a backup from its first byte on',
  async () => {
    const directory = temporaryDirectory();
    const store = await openTestStore(directory);
    const filler = 'x'.repeat(1_000_000);
    for (let n = 0; n < 12; n++) await store.commit([store.endpoints.insert(endpointRow(`ep_${n}`, filler))]);
    const seen = new Map<string, number>();
    const look = (): void => {
      for (const name of readdirSync(directory)) {
        const mode = statSync(join(directory, name), { throwIfNoEntry: false })?.mode;
        if (mode !== undefined) seen.set(name, (seen.get(name) ?? 0) | (mode & 0o077));
      }
    };
    const over = new AbortController();
    const done = backupStore({ directory, to: join(directory, 'backup.db') }).finally(() => over.abort());
    while (!over.signal.aborted) {
      look();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await done;
    look();
    expect([...seen.keys()]).toEqual(
      expect.arrayContaining(['backup.db.partial', 'backup.db', 'postern.db', 'postern.lock']),
    );
    expect([...seen].filter(([, mode]) => mode !== 0)).toEqual([]);
    const db = openDatabase(join(directory, 'backup.db'), { readOnly: true, busyMs: 0 });
    expect(scalar(db, 'SELECT count(*) FROM "endpoints"')).toBe(12);
    db.close();
  },
);
