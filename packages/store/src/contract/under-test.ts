import type { Store } from '../types.ts';

export interface StoreUnderTest {
  /** Fresh, with its first account and nothing else. */
  readonly store: Store;
  /** Closes it and opens it again. */
  reopen(): Promise<Store>;
  /** Closes and removes it; also when it was closed before. */
  dispose(): Promise<void>;
}
