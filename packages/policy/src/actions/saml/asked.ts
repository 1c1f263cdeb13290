/**
 * Log-ins that a browser has begun and not finished, in a cookie that it alone has: a response is taken in the browser that
 * asked for it. The provider posts it from a page of its own, and no cookie comes with that; the next step is a redirect,
 * with which it does.
 */
import { nonceLine, nonceTexts } from '../../logins/cookies.ts';
import type { SessionVisit } from '../../logins/plan.ts';
import { LOGIN_MS } from '../../logins/sealed.ts';

export interface Begun {
  readonly id: string;
  /** Path and query that were asked for. */
  readonly target: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Characters before they are sealed; a cookie has 4,096 in all. */
const MOST_TEXT = 2_400;

/** Those that are not over, the latest first. */
export function begun({ context, req, realm, cookiePlace }: SessionVisit): readonly Begun[] {
  for (const text of nonceTexts(req.loginCookies, cookiePlace)) {
    const opened = context.services.sessions.open(text, `asked ${realm}`);
    if (opened === null) continue;
    // oxlint-disable-next-line no-unsafe-type-assertion -- nobody but a server of this installation has written it
    return (JSON.parse(opened.text) as Begun[]).filter(({ at }) => context.now() - at < LOGIN_MS);
  }
  return [];
}

/** @returns the Set-Cookie line; the oldest are forgotten where all would be too long */
export function begunLine({ context, realm, cookiePlace }: SessionVisit, all: readonly Begun[]): string {
  if (all.length === 0) return nonceLine('', cookiePlace, 0);
  let kept = all;
  while (kept.length > 1 && JSON.stringify(kept).length > MOST_TEXT) kept = kept.slice(0, -1);
  return nonceLine(context.services.sessions.seal(JSON.stringify(kept), `asked ${realm}`), cookiePlace, LOGIN_MS);
}
