import type { LoginKey } from '@postern/link';

const DAY_MS = 86_400_000;
/** Each is the first one for a week. */
const KEY_MS = 7 * DAY_MS;
/** Weeks for which what a key sealed can be opened after its own. */
const KEPT = 5;
/** What is sealed now can be opened by nobody after as long as this, unless it was sealed anew meanwhile. */
export const SEALED_MS = (KEPT + 1) * KEY_MS;

/**
 * Keys of log-ins come of the installation's key and the week: nothing has to be kept for sessions to outlive a restart,
 * and every node of an installation has the same ones. Edges get those that count now, and none of later weeks.
 * @param sign the installation's signature of a text, 32 bytes in base64url
 */
export function loginKeys(now: number, sign: (text: string) => string): readonly LoginKey[] {
  const week = Math.floor(now / KEY_MS);
  return Array.from({ length: Math.min(KEPT, week) + 1 }, (_, past) => ({
    id: week - past,
    key: new Uint8Array(Buffer.from(sign(`login key of week ${week - past}`), 'base64url')),
  }));
}
