import type { Store } from '@postern/store';
import type { Readiness } from './metrics-server.ts';

/** Whether this server can be used, and why not. */
export function readiness(state: 'starting' | 'ready' | 'stopping', store: Store): Readiness {
  if (state !== 'ready') return { ready: false, reason: state };
  const { writable, lastError } = store.health;
  return writable ? { ready: true } : { ready: false, reason: `the database cannot be written: ${lastError}` };
}
