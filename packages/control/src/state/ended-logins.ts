/** What is kept of log-ins that were ended: as long as a browser may have anything that would still be opened. */
import type { Row, Tables, Write } from '@postern/store';
import type { Core } from '../core.ts';
import { SEALED_MS } from '../edges/login-keys.ts';

type Owned = Pick<Row, 'id' | 'accountId'>;
type Ended = Tables['endedLogins'];

/** Unix milliseconds when the session is over by itself; 0 = never. Rows have whole seconds: the end of theirs. */
export function endOf({ expiresAt }: Tables['applicationSessions']): number {
  return expiresAt === '' ? 0 : Date.parse(expiresAt) + 1_000;
}

/** @param until when it is over by itself, 0 = never; @returns null where nothing has to be kept */
export function endedSession(
  { now, timestamp }: Pick<Core, 'now' | 'timestamp'>,
  { id, accountId }: Owned,
  until: number,
  byVisitor: boolean,
): Ended | null {
  const kept = Math.min(until === 0 ? Infinity : until, now() + SEALED_MS);
  if (kept <= now()) return null;
  return { id, accountId, createdAt: timestamp(), begunBefore: 0, until: kept, byVisitor };
}

/** All that he has begun up to now. */
export function endedUser({ now, timestamp }: Pick<Core, 'now' | 'timestamp'>, { id, accountId }: Owned): Ended {
  const begunBefore = now() + 1;
  return { id, accountId, createdAt: timestamp(), begunBefore, until: now() + SEALED_MS, byVisitor: false };
}

export function keep({ store, catalog }: Pick<Core, 'store' | 'catalog'>, row: Ended): Write {
  const { id, begunBefore, until, byVisitor } = row;
  if (catalog.resources.mirrors.endedLogins.get(id) === null) return store.endedLogins.insert(row);
  return store.endedLogins.update(id, { begunBefore, until, byVisitor });
}
