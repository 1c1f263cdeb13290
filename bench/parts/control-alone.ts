/** Control over a real store, without edge and server, for benchmarks of what it decides. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createControl, DEFAULT_LIMITS } from '@postern/control';
import { createMemoryRegistry } from '@postern/registry';
import { createIdSource, openStore } from '@postern/store';

export const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

/** @param fill gets the store and the account's id before control loads them */
export async function openPlatformless(
  fill: (store: Awaited<ReturnType<typeof openStore>>, accountId: string, newId: () => string) => Promise<void> = () =>
    Promise.resolve(),
) {
  const directory = await mkdtemp(path.join(tmpdir(), 'postern-bench-'));
  const ids = createIdSource({ now: Date.now });
  const store = await openStore({ directory, encryptionKey: randomBytes(32), now: Date.now, ids });
  const accountId = (await store.accounts())[0]?.id ?? '';
  await fill(store, accountId, () => ids.next('ep'));
  const control = createControl({
    store,
    registry: await createMemoryRegistry({ now: Date.now }).join('bench'),
    ids,
    randomBytes,
    now: Date.now,
    certificateFor: () => Promise.resolve(null),
    log: QUIET,
    config: {
      baseDomains: ['example.test'],
      publicHttpPort: 80,
      publicHttpsPort: 443,
      tcpHost: 'localhost',
      tcpPortRange: { first: 20_000, last: 20_009 },
      ownNames: [],
      autoReserve: 'any',
      region: 'us',
      webUrl: '',
      loginApps: [],
      limits: DEFAULT_LIMITS,
    },
  });
  const made = await control.bootstrap(async () => {});
  await control.start();
  const apiKey = made?.apiKey ?? '';
  return {
    store,
    control,
    accountId,
    apiKey,
    caller: await control.api.authenticateApiKey(apiKey),
    async close() {
      await control.stop();
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
}
