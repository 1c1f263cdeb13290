import type { IncomingHttpHeaders } from 'node:http';

export interface Cors {
  /** Headers for a real answer; none without an Origin that is allowed. */
  answer(headers: IncomingHttpHeaders): Readonly<Record<string, string>>;
  /** Headers for a preflight answer, or null when this OPTIONS is none (api.md §1: CORS). */
  preflight(headers: IncomingHttpHeaders, methods: readonly string[]): Readonly<Record<string, string>> | null;
}

const MAX_AGE_SECONDS = '600';
const NONE: Readonly<Record<string, string>> = {};
const EXPOSED = { 'access-control-expose-headers': 'Ngrok-Operation-Id, Retry-After' } as const;

/**
 * `origins`: exact origins; a page of one of them may also send its credentials. '*' among them: any page may call, but
 * with nothing that its browser adds by itself (Fetch Standard, CORS protocol and credentials). None: no page may.
 */
export function createCors(origins: readonly string[]): Cors {
  const any = origins.includes('*');
  const allowed = new Set(origins.filter((origin) => origin !== '*'));
  const answer = ({ origin }: IncomingHttpHeaders): Readonly<Record<string, string>> => {
    if (origin === undefined) return NONE;
    if (allowed.has(origin)) {
      return {
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        ...EXPOSED,
        vary: 'Origin',
      };
    }
    return any ? { 'access-control-allow-origin': '*', ...EXPOSED } : NONE;
  };
  return {
    answer,
    preflight(headers, methods) {
      if (headers.origin === undefined || headers['access-control-request-method'] === undefined) return null;
      const allowedHeaders = answer(headers);
      if (allowedHeaders === NONE) return NONE;
      return {
        ...allowedHeaders,
        'access-control-allow-methods': methods.join(', '),
        'access-control-allow-headers': headers['access-control-request-headers'] ?? '',
        'access-control-max-age': MAX_AGE_SECONDS,
      };
    },
  };
}
