/** A platform that has many endpoints already when it starts. */
import path from 'node:path';
import { createIdSource, loadOrCreateKey, openStore, type Write } from '@postern/store';
import { mkdir } from 'node:fs/promises';
import { repositoryRoot } from '../../test/support/platform.ts';
import { HELLO_RULE, Postern } from '../postern.ts';
import type { Stage } from '../stage.ts';

const ROWS_AT_ONCE = 1_000;

export async function manyRoutes(count: number, stage: Stage): Promise<Postern> {
  const dataDir = path.join(stage.folder, `routes-${count}`);
  await mkdir(dataDir, { mode: 0o700 });
  await fill(dataDir, count);
  return Postern.start({ upstreamPort: await stage.upstream(), nodeFlags: [], root: repositoryRoot, dataDir });
}

async function fill(directory: string, count: number): Promise<void> {
  const now = Date.now;
  const ids = createIdSource({ now });
  const store = await openStore({ directory, encryptionKey: await loadOrCreateKey(directory, {}), now, ids });
  try {
    const accountId = (await store.accounts())[0]?.id ?? '';
    const stamp = new Date(now()).toISOString();
    const trafficPolicy = JSON.stringify({ on_http_request: [HELLO_RULE] });
    for (let from = 0; from < count; from += ROWS_AT_ONCE) {
      const rows = Array.from({ length: Math.min(ROWS_AT_ONCE, count - from) }, (_none, index): Write => {
        const host = `h${from + index}.postern.localhost`;
        return store.endpoints.insert({
          id: ids.next('ep'),
          accountId,
          createdAt: stamp,
          updatedAt: stamp,
          url: `http://${host}`,
          scheme: 'http',
          host,
          port: 80,
          binding: 'public',
          poolingEnabled: false,
          trafficPolicy,
          description: '',
          metadata: '',
          domainId: '',
          tcpAddrId: '',
          principalId: '',
        });
      });
      await store.commit(rows);
    }
  } finally {
    await store.close();
  }
}
