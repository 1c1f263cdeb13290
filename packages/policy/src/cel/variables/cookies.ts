/** Cookies of requests (RFC 6265 §4.2) and responses (§5.2), as the objects that expressions see. */
import { celMap, type CelInput } from '@bufbuild/cel';
import { MAX_PARTS, TOO_MANY_COOKIES, TOO_MANY_SET_COOKIES } from '../limits.ts';
import { duration, timestamp, type Fatal, type Value } from '../value.ts';

export interface Cookie {
  name: string;
  value: string;
  domain: string;
  path: string;
  /** Unix milliseconds; 0 = not given. */
  expires: number;
  /** Seconds; 0 = not given. */
  maxAge: number;
  httpOnly: boolean;
  secure: boolean;
  sameSite: string;
  unparsed: Map<string, string>;
}

/** Name → cookies of that name. */
export type CookieJar = Map<string, Cookie[]>;

const NO_TIME = timestamp(0);
const NO_DURATION = duration(0);

export function emptyCookie(name: string): Cookie {
  return {
    name,
    value: '',
    domain: '',
    path: '',
    expires: 0,
    maxAge: 0,
    httpOnly: false,
    secure: false,
    sameSite: '',
    unparsed: new Map(),
  };
}

/** A part without `=` is a name without value: that is how many services read it. */
export function cookiesOf(header: string): CookieJar | Fatal {
  const jar: CookieJar = new Map();
  let count = 0;
  for (let start = 0, end = 0; start < header.length; start = end + 1) {
    end = header.indexOf(';', start);
    if (end === -1) end = header.length;
    const pair = header.slice(start, end).trim();
    if (pair === '') continue;
    if (++count > MAX_PARTS) return TOO_MANY_COOKIES;
    const eq = pair.indexOf('=');
    const cookie = emptyCookie((eq === -1 ? pair : pair.slice(0, eq)).trim());
    if (eq !== -1) cookie.value = unquote(pair.slice(eq + 1).trim());
    put(jar, cookie);
  }
  return jar;
}

/** Same-name cookies come with the longest path first. */
export function setCookiesOf(headers: readonly string[]): CookieJar | Fatal {
  const jar: CookieJar = new Map();
  if (headers.length > MAX_PARTS) return TOO_MANY_SET_COOKIES;
  for (const header of headers) {
    const [first = '', ...attributes] = header.split(';');
    const eq = first.indexOf('=');
    if (eq === -1) continue;
    const cookie = emptyCookie(first.slice(0, eq).trim());
    cookie.value = unquote(first.slice(eq + 1).trim());
    for (const attribute of attributes) readAttribute(cookie, attribute);
    put(jar, cookie);
  }
  for (const list of jar.values()) list.sort((a, b) => b.path.length - a.path.length);
  return jar;
}

export function cookieValue(cookie: Cookie): Value {
  const fields: [string, CelInput][] = [
    ['name', cookie.name],
    ['value', cookie.value],
    ['domain', cookie.domain],
    ['path', cookie.path],
    ['expires', cookie.expires === 0 ? NO_TIME : timestamp(cookie.expires)],
    ['max_age', cookie.maxAge === 0 ? NO_DURATION : duration(cookie.maxAge * 1000)],
    ['http_only', cookie.httpOnly],
    ['secure', cookie.secure],
    ['same_site', cookie.sameSite],
    ['unparsed_attributes', celMap(cookie.unparsed)],
  ];
  return celMap(new Map(fields));
}

function put(jar: CookieJar, cookie: Cookie): void {
  const list = jar.get(cookie.name);
  if (list === undefined) jar.set(cookie.name, [cookie]);
  else list.push(cookie);
}

function readAttribute(cookie: Cookie, attribute: string): void {
  const eq = attribute.indexOf('=');
  const name = (eq === -1 ? attribute : attribute.slice(0, eq)).trim();
  const value = eq === -1 ? '' : attribute.slice(eq + 1).trim();
  switch (name.toLowerCase()) {
    case 'domain':
      cookie.domain = value;
      break;
    case 'path':
      cookie.path = value;
      break;
    case 'expires':
      cookie.expires = clamp(Date.parse(value));
      break;
    case 'max-age':
      cookie.maxAge = clamp(Number(value));
      break;
    case 'httponly':
      cookie.httpOnly = true;
      break;
    case 'secure':
      cookie.secure = true;
      break;
    case 'samesite':
      cookie.sameSite = value;
      break;
    default:
      if (name !== '') cookie.unparsed.set(name, value);
  }
}

/** Keeps numbers inside what CEL's timestamps and durations can hold. */
function clamp(value: number): number {
  if (!Number.isFinite(value)) return 0;
  return Math.max(-62_135_596_800_000, Math.min(253_402_300_799_000, value));
}

function unquote(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}
