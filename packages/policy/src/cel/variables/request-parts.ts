/**
 * The request head taken apart, on demand and once: actions may change the head between two expressions, so every part
 * remembers the text that it was made from.
 */
import type { RequestView } from '../../runtime.ts';
import { cookiesOf, type CookieJar } from './cookies.ts';

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
  #target = '';
  #authority = '';
  #url: UrlParts | null = null;
  #queryText = '';
  #query: Map<string, string[]> | null = null;
  #cookieText = '';
  #cookies: CookieJar | null = null;

  url(req: RequestView): UrlParts {
    if (this.#url === null || this.#target !== req.target || this.#authority !== req.authority) {
      this.#target = req.target;
      this.#authority = req.authority;
      this.#url = urlParts(req.scheme, req.authority, req.target);
    }
    return this.#url;
  }

  query(req: RequestView): Map<string, string[]> {
    const text = queryOf(req.target);
    if (this.#query === null || this.#queryText !== text) {
      this.#queryText = text;
      this.#query = parseQuery(text);
    }
    return this.#query;
  }

  cookies(req: RequestView): CookieJar {
    const text = req.headers.getAll('cookie').join('; ');
    if (this.#cookies === null || this.#cookieText !== text) {
      this.#cookieText = text;
      this.#cookies = cookiesOf(text);
    }
    return this.#cookies;
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
    return text.replace(/(?:%[0-9a-fA-F]{2})+/g, (escapes) => {
      try {
        return decodeURIComponent(escapes);
      } catch {
        return escapes;
      }
    });
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

/** Names and values decoded, `+` is a space; the first 1,000 parameters count. */
export function parseQuery(text: string): Map<string, string[]> {
  const map = new Map<string, string[]>();
  if (text === '') return map;
  for (const pair of text.split('&', 1000)) {
    if (pair === '') continue;
    const eq = pair.indexOf('=');
    const name = decode((eq === -1 ? pair : pair.slice(0, eq)).replaceAll('+', ' '));
    const value = eq === -1 ? '' : decode(pair.slice(eq + 1).replaceAll('+', ' '));
    const list = map.get(name);
    if (list === undefined) map.set(name, [value]);
    else list.push(value);
  }
  return map;
}
