import { fail } from '@postern/errors';

export interface RateLimitOptions {
  /** Calls per account in any 60 seconds; 0 = no limit. */
  readonly perMinute: number;
}

export interface RateLimiter {
  /** Counts a call at `now` (ms); throws 226 when the account had its share, without counting that one. */
  admit(accountId: string, now: number): void;
}

const WINDOW_MS = 60_000;
/** Windows of accounts that fell silent are dropped when there are more than this. */
const SWEEP_ABOVE = 1_000;

/** The last `perMinute` admitted times of an account, oldest at `next` once full. */
interface Window {
  readonly times: number[];
  next: number;
  newest: number;
}

/** An exact rolling window: the call is admitted when the one `perMinute` calls ago is at least a minute old. */
export function createRateLimiter(options: RateLimitOptions): RateLimiter {
  const { perMinute } = options;
  const windows = new Map<string, Window>();
  return {
    admit(accountId, now) {
      if (perMinute === 0) return;
      let window = windows.get(accountId);
      if (window === undefined) {
        if (windows.size >= SWEEP_ABOVE) sweep(windows, now);
        window = { times: [], next: 0, newest: now };
        windows.set(accountId, window);
      }
      const oldest = window.times[window.next];
      if (oldest !== undefined && now - oldest < WINDOW_MS) {
        const retryAfter = Math.max(1, Math.ceil((oldest + WINDOW_MS - now) / 1000));
        throw fail(
          226,
          { limit: perMinute, seconds: WINDOW_MS / 1000, retry_after: retryAfter },
          {
            details: { retry_after: String(retryAfter) },
          },
        );
      }
      window.times[window.next] = now;
      window.next = (window.next + 1) % perMinute;
      window.newest = now;
    },
  };
}

function sweep(windows: Map<string, Window>, now: number): void {
  for (const [accountId, window] of windows) {
    if (now - window.newest >= WINDOW_MS) windows.delete(accountId);
  }
}
