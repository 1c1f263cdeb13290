/** How long a test waits for what has to come, however busy the machine is; only a failing test waits that long. */
export const PATIENCE_MS = 60_000;

/** Waits until `check` answers something true; the last error or value is in the message when it never does. */
export async function until<T>(
  check: () => Promise<T> | T,
  milliseconds = PATIENCE_MS,
  every = 25,
): Promise<NonNullable<T>> {
  const end = Date.now() + milliseconds;
  let last: unknown;
  while (Date.now() < end) {
    try {
      const value = await check();
      if (value !== null && value !== undefined && value !== false) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, every));
  }
  throw new Error(`not so within ${milliseconds} ms; last: ${String(last)}`, { cause: last });
}
