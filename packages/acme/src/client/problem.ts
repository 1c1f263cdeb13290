/** What a certificate authority refuses, as it says it (RFC 7807, RFC 8555 §6.7). */

export class AcmeProblem extends Error {
  override readonly name = 'AcmeProblem';
  /** The last part of the type: `rateLimited`, `badNonce`; `unreachable` = it could not be reached or made no sense. */
  readonly type: string;
  /** HTTP status; 0 = there was no answer. */
  readonly status: number;
  /** From `Retry-After`, in milliseconds from then; null = it named none. */
  readonly retryAfterMs: number | null;

  constructor(type: string, detail: string, status = 0, retryAfterMs: number | null = null) {
    super(detail);
    this.type = type;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

const PREFIX = 'urn:ietf:params:acme:error:';
const MOST_WORDS = 500;

/** @param body as it was parsed */
export function problemOf(body: unknown, status: number, retryAfterMs: number | null): AcmeProblem {
  const type = textIn(body, 'type');
  const detail = textIn(body, 'detail');
  return new AcmeProblem(
    type.startsWith(PREFIX) ? type.slice(PREFIX.length) : 'unreachable',
    (detail === '' ? `the authority answered ${status}` : detail).slice(0, MOST_WORDS),
    status,
    retryAfterMs,
  );
}

export function textIn(body: unknown, member: string): string {
  const value = memberOf(body, member);
  return typeof value === 'string' ? value : '';
}

export function listIn(body: unknown, member: string): readonly unknown[] {
  const value = memberOf(body, member);
  return Array.isArray(value) ? value : [];
}

export function memberOf(body: unknown, member: string): unknown {
  if (typeof body !== 'object' || body === null) return undefined;
  const entry = Object.entries(body).find(([name]) => name === member);
  return entry?.[1];
}
