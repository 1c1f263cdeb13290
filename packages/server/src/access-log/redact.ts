/**
 * Credentials in queries, which clients put there although they end up in logs: what such a parameter holds is not
 * written. Names are compared as sent; a name that somebody encodes on purpose hides his own secret from nobody.
 */

/** Parameters that hold a secret, whole. */
const SECRET = new Set([
  'auth',
  'authorization',
  'code',
  'hmac',
  'jwt',
  'key',
  'otp',
  'pass',
  'pin',
  'pwd',
  'samlrequest',
  'samlresponse',
  'session',
  'sessionid',
  'sid',
  'sig',
]);
/** In the name of such a parameter. */
const PARTS = ['token', 'secret', 'password', 'passwd', 'signature', 'credential', 'apikey', 'api_key', 'api-key'];
const HIDDEN = '***';

/** `?a=1&token=x` → `?a=1&token=***`. */
export function withoutSecrets(query: string): string {
  if (!query.includes('=')) return query;
  let written = '';
  let from = 0;
  while (from < query.length) {
    let end = query.indexOf('&', from);
    if (end === -1) end = query.length;
    const equals = query.indexOf('=', from);
    const start = query.charCodeAt(from) === QUESTION ? from + 1 : from;
    written +=
      equals !== -1 && equals < end && isSecret(query.slice(start, equals))
        ? query.slice(from, equals + 1) + HIDDEN
        : query.slice(from, end);
    if (end < query.length) written += '&';
    from = end + 1;
  }
  return written;
}

const QUESTION = '?'.charCodeAt(0);

/** A referrer: its query as any other, and nobody's name and password before the host. */
export function refererWithoutSecrets(referer: string): string {
  const query = referer.indexOf('?');
  const place = query === -1 ? referer : referer.slice(0, query);
  const host = place.indexOf('://') + 3;
  const path = host < 3 ? -1 : place.indexOf('/', host);
  const at = host < 3 ? -1 : place.slice(0, path === -1 ? place.length : path).lastIndexOf('@');
  const plain = at < host ? place : `${place.slice(0, host)}${HIDDEN}${place.slice(at)}`;
  return query === -1 ? plain : plain + withoutSecrets(referer.slice(query));
}

function isSecret(name: string): boolean {
  const lower = name.toLowerCase();
  return SECRET.has(lower) || PARTS.some((part) => lower.includes(part));
}
