/**
 * How many orders there may be, so that the authority never has to say no: what it publishes is counted here before it
 * is asked, with a share for each tenant that leaves room for the others. The figures are Let's Encrypt's, the largest
 * public authority (letsencrypt.org/docs/rate-limits, 2026-05), with a tenth held back.
 */
import type { AcmeOrderRow } from '@postern/store';

const HOUR = 3_600_000;
const WEEK = 7 * 24 * HOUR;

interface Limit {
  readonly most: number;
  readonly ms: number;
  /** Whether an earlier order counts. */
  readonly counts: (earlier: AcmeOrderRow, wanted: WantedOrder) => boolean;
  readonly words: string;
}

export interface WantedOrder {
  readonly accountId: string;
  readonly directory: string;
  readonly names: readonly string[];
}

const LIMITS: readonly Limit[] = [
  { most: 270, ms: 3 * HOUR, counts: () => true, words: 'orders of this server in three hours' },
  {
    most: 135,
    ms: 3 * HOUR,
    counts: (earlier, wanted) => earlier.accountId === wanted.accountId,
    words: 'orders of one account in three hours',
  },
  {
    most: 45,
    ms: WEEK,
    counts: (earlier, wanted) =>
      earlier.state !== 'failed' &&
      earlier.names.some((name) => wanted.names.some((other) => registered(name) === registered(other))),
    words: 'certificates below one registered domain in a week',
  },
  {
    most: 4,
    ms: WEEK,
    counts: (earlier, wanted) => earlier.state === 'issued' && sameNames(earlier.names, wanted.names),
    words: 'certificates for the same names in a week',
  },
  {
    most: 4,
    ms: HOUR,
    counts: (earlier, wanted) =>
      earlier.state === 'failed' && earlier.names.some((name) => wanted.names.includes(name)),
    words: 'failed orders for one name in an hour',
  },
];

/** What is counted is not older than this. */
export const COUNTED_MS = WEEK;

export interface Refusal {
  readonly words: string;
  /** When there is room again. */
  readonly retryAfterMs: number;
}

/**
 * @param earlier all orders that are counted, in any order
 * @returns null when there is room
 */
export function refusalOf(wanted: WantedOrder, earlier: Iterable<AcmeOrderRow>, now: number): Refusal | null {
  const of = [...earlier].filter(({ directory }) => directory === wanted.directory);
  let refusal: Refusal | null = null;
  for (const { most, ms, counts, words } of LIMITS) {
    const times = of
      .filter((order) => counts(order, wanted))
      .map(({ createdAt }) => Date.parse(createdAt))
      .filter((at) => now - at < ms)
      .toSorted((a, b) => a - b);
    const frees = times[times.length - most];
    if (frees === undefined) continue;
    const retryAfterMs = frees + ms - now;
    if (refusal === null || refusal.retryAfterMs < retryAfterMs) refusal = { words: `${most} ${words}`, retryAfterMs };
  }
  return refusal;
}

/**
 * The name that somebody has registered, as near as it can be told without a list of all public suffixes: the last two
 * labels, three below a country's short second level (co.uk).
 */
export function registered(name: string): string {
  const labels = name.replace(/^\*\./, '').split('.');
  const [second = '', top = ''] = labels.slice(-2);
  return labels.slice(top.length === 2 && second.length <= 3 ? -3 : -2).join('.');
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name) => other.includes(name));
}
