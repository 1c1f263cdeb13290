import type { ManagedCertificateRow } from '@postern/store';
import type { Subject } from '../types.ts';
import type { Life } from './renewal.ts';

/** One row in memory, with what is known beside it. */
export interface Kept {
  row: ManagedCertificateRow;
  subject: Subject;
  /** null = there is no certificate yet. */
  life: Life | null;
  /** When something is to be done; Infinity = nothing. */
  dueAt: number;
  /** When the authority is asked for its wish. */
  askAt: number;
  running: boolean;
  /** When somebody last asked for it by hand. */
  askedAt: number;
  /** Nobody wants it any more; it goes when what runs is over. */
  gone: boolean;
}

/** When the row says that its next try is. */
export function dueOf(row: ManagedCertificateRow, now: number): number {
  if (row.retriesAt !== '') return Date.parse(row.retriesAt);
  if (row.certificateId === '') return now;
  return row.renewsAt === '' ? now : Date.parse(row.renewsAt);
}

/** Of what is due, what is begun next: base domains first, then whoever has least under way, then what ends first. */
export function nextOf(kept: Iterable<Kept>, now: number, mostOfOne: number): Kept | null {
  const running = new Map<string, number>();
  const due: Kept[] = [];
  for (const one of kept) {
    if (one.running) running.set(one.subject.accountId, (running.get(one.subject.accountId) ?? 0) + 1);
    else if (one.dueAt <= now) due.push(one);
  }
  let best: Kept | null = null;
  let bestRank: readonly number[] = [];
  for (const one of due) {
    const own = one.subject.domainId === '';
    const underWay = running.get(one.subject.accountId) ?? 0;
    if (!own && underWay >= mostOfOne) continue;
    const rank = [own ? 0 : 1, underWay, one.life?.notAfter ?? 0, one.dueAt];
    if (best === null || isBefore(rank, bestRank)) {
      best = one;
      bestRank = rank;
    }
  }
  return best;
}

function isBefore(one: readonly number[], other: readonly number[]): boolean {
  for (const [index, value] of one.entries()) {
    const against = other[index] ?? 0;
    if (value !== against) return value < against;
  }
  return false;
}
