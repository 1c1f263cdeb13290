import type { TimerWheel } from './context.ts';

/** Waits for `promise` at most `ms`; rejects with `error()` after that. */
export async function withDeadline<T>(
  wheel: TimerWheel,
  promise: Promise<T>,
  ms: number,
  error: () => Error,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = wheel.schedule(ms, () => late.reject(error()));
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    timer.cancel();
  }
}
