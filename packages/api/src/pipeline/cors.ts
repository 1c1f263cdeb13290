import type { IncomingHttpHeaders } from 'node:http';

export interface Cors {
  /** Headers for a real answer; none without an Origin that is allowed. */
  answer(headers: IncomingHttpHeaders): Readonly<Record<string, string>>;
  /** Headers for a preflight answer, or null when this OPTIONS is none (api.md §1: CORS). */
  preflight(headers: IncomingHttpHeaders, methods: readonly string[]): Readonly<Record<string, string>> | null;
}

const MAX_AGE_SECONDS = '600';
const NONE: Readonly<Record<string, string>> = {};

/** `origins`: exact origins, or '*' among them for any. The origin is echoed, because credentials are allowed. */
export function createCors(origins: readonly string[]): Cors {
  const any = origins.includes('*');
  const allowed = new Set(origins);
  const answer = (headers: IncomingHttpHeaders): Readonly<Record<string, string>> => {
    const { origin } = headers;
    if (origin === undefined || !(any || allowed.has(origin))) return NONE;
    return {
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'Ngrok-Operation-Id, Retry-After',
      vary: 'Origin',
    };
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
