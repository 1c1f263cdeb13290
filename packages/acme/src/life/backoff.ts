const FIRST_MS = 60_000;
const MOST_MS = 24 * 3_600_000;
/** Where nothing was ordered, what is missing is a record that somebody may add any minute. */
const MOST_BEFORE_ORDER_MS = 3_600_000;

/**
 * How long to wait after the `attempts`th failure in a row: twice as long each time, with jitter of a fifth.
 * @param random [0, 1)
 */
export function backoff(attempts: number, ordered: boolean, random: number): number {
  const ms = FIRST_MS * 2 ** Math.min(attempts - 1, 20);
  return Math.round(Math.min(ms, ordered ? MOST_MS : MOST_BEFORE_ORDER_MS) * (0.9 + 0.2 * random));
}
