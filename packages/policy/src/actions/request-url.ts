import type { Scope } from '../cel/scope.ts';
import type { RequestView } from '../runtime.ts';

/**
 * What patterns of URLs are held against: the URL as it was sent, so that what is made of it can be sent again, but with
 * the one form that a host has everywhere (lower case, no port that the scheme has anyway).
 */
export function requestUrl(req: RequestView, scope: Scope): string {
  const { scheme, userPassword, host, port } = scope.parts.url(req);
  const user = userPassword === '' ? '' : `${userPassword}@`;
  const shown = port === (scheme === 'https' ? 443 : 80) ? host : `${host}:${port}`;
  // `OPTIONS *` asks about the server, and has no path (RFC 9112 §3.3).
  return `${scheme}://${user}${shown}${req.target === '*' ? '' : req.target}`;
}
