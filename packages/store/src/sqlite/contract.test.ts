import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeStoreContract } from '../contract/index.ts';
import { TEST_KEY } from '../testing/key.ts';
import { openStore } from './store.ts';

describeStoreContract('SQLite', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-store-'));
  const store = await openStore({ directory, encryptionKey: TEST_KEY });
  let current = store;
  return {
    store,
    async reopen() {
      await current.close();
      current = await openStore({ directory, encryptionKey: TEST_KEY });
      return current;
    },
    async dispose() {
      await current.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
});
