/** Helpers for this package's own tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openStore, type OpenStoreOptions } from '../sqlite/store.ts';
import type { Store } from '../types.ts';
import { TEST_KEY } from './key.ts';

/** A new folder, removed when the test is over. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'postern-store-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A store that is closed when the test is over. */
export async function openTestStore(directory: string, options: Partial<OpenStoreOptions> = {}): Promise<Store> {
  const store = await openStore({ directory, encryptionKey: TEST_KEY, ...options });
  onTestFinished(() => store.close());
  return store;
}
