/** Addresses that visitors are sent to: always this host's own, or a provider's. */
import { HOP_PARAM } from './sealed.ts';

/** Longer ones come back as their path, or as the first page: a provider has to carry it in a URL. */
const MOST_TARGET = 1_024;

/** Paths of the endpoint that the action answers itself. */
export const LOGIN_PATH = '/ngrok/login';
export const LOGOUT_PATH = '/ngrok/logout';

/** What a request asks for, taken apart. `target` has no hop in it. */
export interface Asked {
  readonly path: string;
  readonly query: string;
  readonly target: string;
  /** '' = there is none. */
  readonly hop: string;
}

export function readTarget(target: string): Asked {
  const at = target.indexOf('?');
  const path = at === -1 ? target : target.slice(0, at);
  const query = at === -1 ? '' : target.slice(at + 1);
  const found = query.lastIndexOf(`${HOP_PARAM}=`);
  // It is always the last one: nobody but `withHop` puts it there.
  if (found === -1 || (found > 0 && query[found - 1] !== '&')) return { path, query, target, hop: '' };
  const rest = query.slice(0, Math.max(0, found - 1));
  const hop = query.slice(found + HOP_PARAM.length + 1);
  return { path, query: rest, target: rest === '' ? path : `${path}?${rest}`, hop };
}

export function withHop(target: string, hop: string): string {
  return `${target}${target.includes('?') ? '&' : '?'}${HOP_PARAM}=${hop}`;
}

/** What of a target is remembered over a log-in. */
export function remembered({ path, target }: Asked): string {
  if (!path.startsWith('/')) return '/';
  if (target.length <= MOST_TARGET) return target;
  return path.length <= MOST_TARGET ? path : '/';
}

/**
 * Where `redirect_path` leads: a page of this origin, whatever somebody has written into a link. Absolute, since a path
 * that begins with two slashes would be another host.
 * @returns null when it is none
 */
export function ownPage(origin: string, path: string): string | null {
  if (!path.startsWith('/') || path.length > MOST_TARGET || !URL.canParse(path, origin)) return null;
  const url = new URL(path, origin);
  return url.origin === new URL(origin).origin && url.username === '' && url.password === '' ? url.href : null;
}
