/**
 * The log of the data plane: what visitors can bring about with each request or connection must not become a line with
 * each of them.
 */
import type { Log } from './context.ts';

const WINDOW_MS = 60_000;
/** Lines of one kind in a window. */
const LINES = 5;
/** Kinds that are told apart; names of endpoints are tenants' to multiply. */
const MOST_KINDS = 1_000;

interface Kind {
  until: number;
  lines: number;
  silent: number;
}

/**
 * Warnings and errors about the same thing (the same words up to a colon, the same endpoint) are written five times a
 * minute at most; the first line of the next minute says how many were left out. The rest passes as it is.
 */
export function limitedLog(log: Log, now: () => number): Log {
  const kinds = new Map<string, Kind>();
  const admit = (fields: object, message: string): object | null => {
    const endpoint = 'endpoint' in fields && typeof fields.endpoint === 'string' ? fields.endpoint : '';
    const colon = message.indexOf(':');
    const key = `${endpoint} ${colon === -1 ? message : message.slice(0, colon)}`;
    const at = now();
    let kind = kinds.get(key);
    if (kind === undefined) {
      for (const oldest of kinds.keys()) {
        if (kinds.size < MOST_KINDS) break;
        kinds.delete(oldest);
      }
      kinds.set(key, (kind = { until: at + WINDOW_MS, lines: 0, silent: 0 }));
    }
    const { silent } = kind;
    if (at >= kind.until) Object.assign(kind, { until: at + WINDOW_MS, lines: 0, silent: 0 });
    if (kind.lines >= LINES) {
      kind.silent++;
      return null;
    }
    kind.lines++;
    return kind.lines === 1 && silent > 0 ? { ...fields, left_out: silent } : fields;
  };
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn(fields, message) {
      const admitted = admit(fields, message);
      if (admitted !== null) log.warn(admitted, message);
    },
    error(fields, message) {
      const admitted = admit(fields, message);
      if (admitted !== null) log.error(admitted, message);
    },
  };
}
