import { fail } from '@postern/errors';

export interface RateLimitOptions {
  /** Calls per API key in any 60 seconds; 0 = no limit. */
  readonly perMinute: number;
}

/** Who calls, as far as counting goes. */
interface Counted {
  readonly apiKeyId: string;
  readonly accountId: string;
}

export interface RateLimiter {
  /** Counts a call at `now` (ms); throws 226 when the key or its account had its share, without counting that one. */
  admit(caller: Counted, now: number): void;
}

const WINDOW_MS = 60_000;
/** Who may call may make keys: an account has what so many keys have together. */
const KEYS_OF_AN_ACCOUNT = 5;
/** Windows of those that fell silent are dropped when there are more than this. */
const SWEEP_ABOVE = 1_000;

/** The last `most` admitted times of one, oldest at `next` once full. */
interface Window {
  readonly times: number[];
  next: number;
  newest: number;
}

/** Exact rolling windows: a call is admitted when the one `most` calls ago is at least a minute old. */
export function createRateLimiter({ perMinute }: RateLimitOptions): RateLimiter {
  const keys = createWindows(perMinute);
  const accounts = createWindows(perMinute * KEYS_OF_AN_ACCOUNT);
  return {
    admit({ apiKeyId, accountId }, now) {
      if (perMinute === 0) return;
      const [key, account] = [keys.of(apiKeyId, now), accounts.of(accountId, now)];
      keys.check(key, now);
      accounts.check(account, now);
      keys.count(key, now);
      accounts.count(account, now);
    },
  };
}

interface Windows {
  of(id: string, now: number): Window;
  /** @throws 226 */
  check(window: Window, now: number): void;
  count(window: Window, now: number): void;
}

function createWindows(most: number): Windows {
  const windows = new Map<string, Window>();
  return {
    of(id, now) {
      const known = windows.get(id);
      if (known !== undefined) return known;
      if (windows.size >= SWEEP_ABOVE) sweep(windows, now);
      const made = { times: [], next: 0, newest: now };
      windows.set(id, made);
      return made;
    },
    check(window, now) {
      const oldest = window.times[window.next];
      if (oldest === undefined || now - oldest >= WINDOW_MS) return;
      const retryAfter = Math.max(1, Math.ceil((oldest + WINDOW_MS - now) / 1000));
      const params = { limit: most, seconds: WINDOW_MS / 1000, retry_after: retryAfter };
      throw fail(226, params, { details: { retry_after: String(retryAfter) } });
    },
    count(window, now) {
      window.times[window.next] = now;
      window.next = (window.next + 1) % most;
      window.newest = now;
    },
  };
}

function sweep(windows: Map<string, Window>, now: number): void {
  for (const [id, window] of windows) {
    if (now - window.newest >= WINDOW_MS) windows.delete(id);
  }
}
