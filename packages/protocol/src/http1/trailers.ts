/**
 * Fields that may not come after a body (RFC 9110 §6.5.1): whoever read the head has already framed, routed,
 * authenticated and decoded the message.
 */
import type { RawFields } from './types.ts';

const FORBIDDEN = new Set([
  'authorization',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'expect',
  'host',
  'http2-settings',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'keep-alive',
  'max-forwards',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'www-authenticate',
]);

/** Whether the field frames, routes or authenticates messages. `x-forwarded-*` and `forwarded` are routing too. */
export function isForbiddenTrailer(lowerName: string): boolean {
  return FORBIDDEN.has(lowerName) || lowerName === 'forwarded' || lowerName.startsWith('x-forwarded-');
}

/** The first name that may not be there, as written; null = all may. */
export function forbiddenTrailer(fields: RawFields): string | null {
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? '';
    if (isForbiddenTrailer(name.toLowerCase().replaceAll('_', '-'))) return name;
  }
  return null;
}
