/** What a rewritten URL asks for, in the parts that a request carries (RFC 9110 §7.1). */
import type { UrlView } from '../../runtime.ts';

/** Of one target; larger than any URL that services take. */
const MAX_TARGET = 65_536;
const FRONT = /^(https?):\/\/([^/?#]*)/i;
const AUTHORITY = /^(?:\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::\d{1,5})?$/;

/**
 * A URL without host (`https:///x`, `/x`) changes the target alone: patterns that begin at the host often take it away.
 * What is behind a `#` is for browsers, and is not sent.
 * @param text ASCII, without blanks
 * @returns null for what no request can ask for
 */
export function placeOf(text: string, now: UrlView): UrlView | null {
  const front = FRONT.exec(text);
  const rest = front === null ? text : text.slice(front[0].length);
  if (front === null && !rest.startsWith('/')) return null;
  const hash = rest.indexOf('#');
  const path = hash === -1 ? rest : rest.slice(0, hash);
  const target = path.startsWith('/') ? path : `/${path}`;
  if (target.length > MAX_TARGET) return null;
  const scheme = front?.[1]?.toLowerCase() ?? now.scheme;
  // Who asks is said by headers; in a host it would be a name.
  const named = front?.[2] ?? '';
  const host = named.slice(named.lastIndexOf('@') + 1).toLowerCase();
  if (host === '') return { scheme, authority: now.authority, target };
  if (!AUTHORITY.test(host)) return null;
  return { scheme, authority: withoutDefaultPort(host, scheme), target };
}

function withoutDefaultPort(host: string, scheme: string): string {
  const own = scheme === 'https' ? ':443' : ':80';
  return host.endsWith(own) ? host.slice(0, -own.length) : host;
}
