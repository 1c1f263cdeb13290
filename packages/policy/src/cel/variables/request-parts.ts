/**
 * The request head taken apart, on demand and once: actions may change the head between two expressions, so every part
 * remembers the text that it was made from.
 */
import type { RequestView, ResponseView } from '../../runtime.ts';
import { MAX_PARTS, TOO_MANY_PARAMETERS } from '../limits.ts';
import type { Fatal } from '../value.ts';
import { spend, type Budgeted } from '../work.ts';
import { userAgentFacts, type UserAgentFacts } from './user-agent.ts';
import { cookiesOf, setCookiesOf, type CookieJar } from './cookies.ts';

export interface UrlParts {
  readonly scheme: string;
  /** Without port, lower case. */
  readonly host: string;
  readonly port: number;
  /** `[userinfo@]host[:port]` as the visitor sent it. */
  readonly authority: string;
  readonly userPassword: string;
  /** As sent. */
  readonly rawPath: string;
  /** Percent-decoded, dot segments resolved: what rules should compare. */
  readonly path: string;
  readonly query: string;
  /** `scheme://authority/target` as sent. */
  readonly raw: string;
  /** Normalised: lower-case host, no default port, resolved path. */
  readonly url: string;
}

export class RequestParts {
  #scheme = '';
  #target = '';
  #authority = '';
  #url: UrlParts | null = null;
  #queryTarget = '';
  #query: Map<string, string[]> | Fatal | null = null;
  #cookieText = '';
  #cookies: CookieJar | Fatal | null = null;
  #setCookieText = '';
  #setCookies: CookieJar | Fatal | null = null;
  #agentText = '';
  #agent: UserAgentFacts | null = null;
  #pathTarget = '';
  #path = '';

  url(req: RequestView): UrlParts {
    const same = this.#target === req.target && this.#authority === req.authority && this.#scheme === req.scheme;
    if (this.#url === null || !same) {
      this.#scheme = req.scheme;
      this.#target = req.target;
      this.#authority = req.authority;
      this.#url = urlParts(req.scheme, req.authority, req.target);
    }
    return this.#url;
  }

  /** The path for rules; made again only when the target has changed. */
  path(target: string): string {
    if (this.#pathTarget !== target) {
      this.#pathTarget = target;
      this.#path = pathOf(target);
    }
    return this.#path;
  }

  query(req: RequestView): Map<string, string[]> | Fatal {
    // The same text as before is the same object: nothing is compared.
    if (this.#query === null || this.#queryTarget !== req.target) {
      this.#queryTarget = req.target;
      this.#query = parseQuery(queryOf(req.target)) ?? TOO_MANY_PARAMETERS;
    }
    return this.#query;
  }

  userAgent(text: string, scope: Budgeted): UserAgentFacts {
    if (this.#agent === null || this.#agentText !== text) {
      spend(scope, 1_500 + Math.min(text.length, 1_024) * 10);
      this.#agentText = text;
      this.#agent = userAgentFacts(text);
    }
    return this.#agent;
  }

  cookies(req: RequestView, scope: Budgeted): CookieJar | Fatal {
    const text = req.headers.getAll('cookie').join('; ');
    spend(scope, 10 + req.headers.size / 2 + text.length / 64);
    if (this.#cookies === null || this.#cookieText !== text) {
      this.#cookieText = text;
      this.#cookies = cookiesOf(text);
    }
    return this.#cookies;
  }

  setCookies(res: ResponseView, scope: Budgeted): CookieJar | Fatal {
    const lines = res.headers.getAll('set-cookie');
    const text = lines.join('\n');
    spend(scope, 10 + res.headers.size / 2 + text.length / 64);
    if (this.#setCookies === null || this.#setCookieText !== text) {
      spend(scope, text.length * 2);
      this.#setCookieText = text;
      this.#setCookies = setCookiesOf(lines);
    }
    return this.#setCookies;
  }
}

/** The path for rules, straight from the target: the commonest question of all, so it makes no other part. */
export function pathOf(target: string): string {
  const end = target.indexOf('?');
  const raw = end === -1 ? target : target.slice(0, end);
  return raw.includes('%') || raw.includes('/.') ? removeDotSegments(decode(raw)) : raw;
}

export function queryOf(target: string): string {
  const start = target.indexOf('?');
  return start === -1 ? '' : target.slice(start + 1);
}

/** The host without port or user info, lower case. */
export function hostOf(authority: string): string {
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const colon = host.startsWith('[') ? host.indexOf(':', host.indexOf(']')) : host.indexOf(':');
  return (colon === -1 ? host : host.slice(0, colon)).toLowerCase();
}

function urlParts(scheme: string, authority: string, target: string): UrlParts {
  const at = authority.lastIndexOf('@');
  const host = hostOf(authority);
  const defaultPort = scheme === 'https' ? 443 : 80;
  const tail = authority.slice(at + 1).slice(host.length + 1);
  const port = /^\d{1,5}$/.test(tail) ? Number(tail) : defaultPort;
  const mark = target.indexOf('?');
  const rawPath = mark === -1 ? target : target.slice(0, mark);
  const path = pathOf(target);
  const query = queryOf(target);
  const user = at === -1 ? '' : authority.slice(0, at);
  const shown = port === defaultPort ? host : `${host}:${port}`;
  return {
    scheme,
    host,
    port,
    authority,
    userPassword: user,
    rawPath,
    path,
    query,
    raw: `${scheme}://${authority}${target}`,
    url: `${scheme}://${user === '' ? '' : `${user}@`}${shown}${path}${mark === -1 ? '' : `?${query}`}`,
  };
}

/** Percent-decoding that keeps what is not valid UTF-8 or not an escape as it was sent. */
export function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/(?:%[0-9a-fA-F]{2})+/g, decodeRun);
  }
}

/** Escapes one behind the other: each character that they make, and what makes none as it was sent. */
function decodeRun(escapes: string): string {
  let out = '';
  for (let at = 0; at < escapes.length;) {
    const lead = Number.parseInt(escapes.slice(at + 1, at + 3), 16);
    const end = at + 3 * (lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4);
    const whole = escapes.slice(at, end);
    const character = end > escapes.length ? null : decodedOrNull(whole);
    out += character ?? escapes.slice(at, at + 3);
    at = character === null ? at + 3 : end;
  }
  return out;
}

function decodedOrNull(escapes: string): string | null {
  try {
    return decodeURIComponent(escapes);
  } catch {
    return null;
  }
}

/** RFC 3986 §5.2.4 for absolute paths. */
export function removeDotSegments(path: string): string {
  if (!path.startsWith('/') || !path.includes('/.')) return path;
  const segments = path.slice(1).split('/');
  const kept: string[] = [];
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === '.' || segment === '..') {
      if (segment === '..') kept.pop();
      if (last) kept.push('');
    } else kept.push(segment);
  }
  return `/${kept.join('/')}`;
}

/** Names and values decoded, `+` is a space. @returns null when there are more than 1,000 parameters */
export function parseQuery(text: string): Map<string, string[]> | null {
  const map = new Map<string, string[]>();
  if (text === '') return map;
  let count = 0;
  for (let start = 0, end = 0; start <= text.length; start = end + 1) {
    end = text.indexOf('&', start);
    if (end === -1) end = text.length;
    if (end === start) continue;
    if (++count > MAX_PARTS) return null;
    const pair = text.slice(start, end);
    const eq = pair.indexOf('=');
    const name = decode((eq === -1 ? pair : pair.slice(0, eq)).replaceAll('+', ' '));
    const value = eq === -1 ? '' : decode(pair.slice(eq + 1).replaceAll('+', ' '));
    const list = map.get(name);
    if (list === undefined) map.set(name, [value]);
    else list.push(value);
  }
  return map;
}
