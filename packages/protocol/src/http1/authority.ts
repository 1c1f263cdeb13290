/**
 * Hosts, ports and request targets (RFC 9112 §3.2, RFC 3986 §3.2).
 */
import { isIPv6 } from 'node:net';
import { allIn, equalsLower, HOST, TARGET } from './characters.ts';
import { Refusal } from './refusal.ts';

/**
 * Checks `host[:port]`: a registered name of letters, digits and `-._~`, an IPv4 address, or an IPv6 address in
 * brackets; a port from 1 to 65535 without leading zeros. No user information.
 * @returns it in lower case, without the dot of an absolute name
 * @throws Refusal naming `what` ("Host", "target")
 */
export function readAuthority(value: string, what: string): string {
  if (value.includes('@')) throw new Refusal(400, `user information in the ${what}`);
  const hostEnd = value.startsWith('[') ? value.indexOf(']') + 1 : hostLength(value);
  if (!isHost(value, hostEnd)) throw new Refusal(400, `an invalid host in the ${what}`);
  if (hostEnd < value.length && !isPort(value, hostEnd)) throw new Refusal(400, `an invalid port in the ${what}`);
  const lower = value.toLowerCase();
  // The root's dot names the same host (RFC 1034 §3.1): routes, rules and services see one form.
  if (lower.charCodeAt(hostEnd - 1) !== 46) return lower;
  return lower.substring(0, hostEnd - 1) + lower.substring(hostEnd);
}

/** `readAuthority` for callers outside the codec: null when it is invalid. */
export function parseAuthority(value: string): string | null {
  try {
    return readAuthority(value, 'authority');
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

function hostLength(value: string): number {
  const colon = value.indexOf(':');
  return colon === -1 ? value.length : colon;
}

function isHost(value: string, end: number): boolean {
  if (end < 1) return false;
  if (value.startsWith('[')) {
    const address = value.substring(1, end - 1);
    return !address.includes('%') && isIPv6(address);
  }
  if (end > 255 || value.startsWith('.')) return false;
  return allIn(HOST, value, 0, end) && !value.substring(0, end).includes('..');
}

/** `:` and one to five digits from `at` to the end. */
function isPort(value: string, at: number): boolean {
  const digits = value.substring(at + 1);
  if (value.charAt(at) !== ':' || digits.length > 5 || digits.length === 0 || digits.startsWith('0')) return false;
  for (let index = 0; index < digits.length; index++) {
    const code = digits.charCodeAt(index);
    if (code < 48 || code > 57) return false;
  }
  return Number(digits) <= 65_535;
}

/** An absolute target cut into what it names. */
export interface AbsoluteTarget {
  readonly scheme: 'http' | 'https';
  /** Lower-case host[:port]. */
  readonly authority: string;
  /** Path and query, starting with '/'. */
  readonly path: string;
  /** The target had no path and no query. */
  readonly bare: boolean;
}

/**
 * Reads `http://host[:port]…` or `https://…`.
 * @returns null when the target is of another form
 * @throws Refusal when its authority is invalid
 */
export function readAbsoluteTarget(target: string): AbsoluteTarget | null {
  const scheme = equalsLower(target, 0, 7, 'http://') ? 'http' : equalsLower(target, 0, 8, 'https://') ? 'https' : null;
  if (scheme === null) return null;
  const start = scheme.length + 3;
  let end = start;
  while (end < target.length && !'/?#'.includes(target.charAt(end))) end++;
  const authority = readAuthority(target.substring(start, end), 'target');
  const rest = target.substring(end);
  return { scheme, authority, path: rest.startsWith('/') ? rest : `/${rest}`, bare: rest === '' };
}

/** `readAbsoluteTarget` for callers outside the codec: null for anything invalid, too. */
export function parseAbsoluteTarget(target: string): AbsoluteTarget | null {
  try {
    return readAbsoluteTarget(target);
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** The same authority, when the port that the scheme implies is left out of both. */
export function sameAuthority(scheme: 'http' | 'https', one: string, other: string): boolean {
  const implied = scheme === 'http' ? ':80' : ':443';
  const bare = (authority: string): string =>
    authority.endsWith(implied) ? authority.substring(0, authority.length - implied.length) : authority;
  return bare(one) === bare(other);
}

/**
 * The form in which a target goes to an origin server (RFC 9112 §3.2.1, §3.2.4): path and query, or `*` for OPTIONS on
 * a URL without path.
 */
export function originForm(method: string, target: string): string {
  if (target.charCodeAt(0) === 47 || target === '*') return target;
  const absolute = parseAbsoluteTarget(target);
  if (absolute === null) return target;
  return absolute.bare && method === 'OPTIONS' ? '*' : absolute.path;
}

/** Path and query of an origin-form target: starts with '/', visible ASCII, no fragment. */
export function isOriginForm(target: string): boolean {
  return target.charCodeAt(0) === 47 && allIn(TARGET, target);
}
