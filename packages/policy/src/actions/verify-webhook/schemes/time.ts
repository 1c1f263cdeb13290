/** When a webhook was signed: what is too old may be a recording of it. */
export const FIVE_MINUTES = 300;

/** Whether the signed time lies within `seconds` of now, before or behind. */
export function isFresh(written: string, now: number, seconds: number): boolean {
  const at = instant(written);
  return at !== null && Math.abs(now - at) <= seconds * 1000;
}

/**
 * Seconds, milliseconds or RFC 3339 → Unix milliseconds. Providers do not always say which they send; the time is
 * signed as it is written, so it is theirs however it reads.
 */
function instant(written: string): number | null {
  if (/^\d{1,11}$/.test(written)) return Number(written) * 1000;
  if (/^\d{12,15}$/.test(written)) return Number(written);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(written)) return null;
  const at = Date.parse(written);
  return Number.isNaN(at) ? null : at;
}
