/**
 * Texts on the way of a log-in, sealed. `state` goes to the provider and comes back by the visitor's browser; the server's
 * own address makes `hop` of it, which leads back to the page that asked for the log-in. The browser's secret, in a
 * cookie, ties both to the one browser that began: what PKCE and OpenID Connect need to be unguessable comes of it.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Sessions } from '../services.ts';
import { nonceLine, nonceTexts } from './cookies.ts';
import type { Visit } from './plan.ts';

/** From the first redirect until the visitor is back. */
export const LOGIN_MS = 15 * 60_000;
/** A browser's secret serves log-ins that begin in this time; then it has to see them through. */
const SECRET_MS = LOGIN_MS;

/** The parameter under which a hop arrives. */
export const HOP_PARAM = 'postern-login';

export interface State {
  /** Of the log-in. */
  readonly id: string;
  /** What only the browser that began can make of the id. */
  readonly tag: string;
  readonly realm: string;
  readonly origin: string;
  /** Path and query that were asked for. */
  readonly target: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** What a provider answered by the visitor's browser. */
export interface Return {
  readonly code: string;
  readonly error: string;
  readonly issuer: string;
}

export type Hop = State & Return;

export function sealState(sessions: Sessions, state: State): string {
  return sessions.seal(JSON.stringify(state), 'state');
}

export function openState(sessions: Sessions, text: string): State | null {
  // oxlint-disable-next-line no-unsafe-type-assertion -- nobody but a server of this installation has written it
  return unsealed(sessions, text, 'state') as State | null;
}

export function sealHop(sessions: Sessions, hop: Hop): string {
  return sessions.seal(JSON.stringify(hop), 'hop');
}

export function openHop(sessions: Sessions, text: string): Hop | null {
  // oxlint-disable-next-line no-unsafe-type-assertion -- as above
  return unsealed(sessions, text, 'hop') as Hop | null;
}

function unsealed(sessions: Sessions, text: string, place: string): unknown {
  const found = sessions.open(text, place);
  return found === null ? null : JSON.parse(found.text);
}

/** A realm in short. */
export function shortRealm(realm: string): string {
  return createHash('sha256').update(realm).digest('base64url').slice(0, 22);
}

/** What a browser is told from others by, while it logs in. */
export interface BrowserSecret {
  readonly secret: string;
  /** Set-Cookie; null = the browser has it. */
  readonly line: string | null;
}

/** Log-ins in several tabs share it. */
export function secretFor(visit: Visit): BrowserSecret {
  const { context, cookiePlace, realm } = visit;
  const known = secretsOf(visit).find(({ at }) => context.now() - at < SECRET_MS);
  if (known !== undefined) return { secret: known.secret, line: null };
  const secret = context.services.sessions.random();
  const sealed = context.services.sessions.seal(`${secret} ${context.now()}`, `nonce ${realm}`);
  return { secret, line: nonceLine(sealed, cookiePlace, SECRET_MS + LOGIN_MS) };
}

/** @returns the secret of the browser that began this log-in; null = it was another one */
export function secretOf(visit: Visit, { id, tag }: State): string | null {
  return secretsOf(visit).find(({ secret }) => tagOf(secret, id) === tag)?.secret ?? null;
}

function secretsOf({ context, req, realm, cookiePlace }: Visit): readonly { secret: string; at: number }[] {
  const found: { secret: string; at: number }[] = [];
  for (const text of nonceTexts(req.loginCookies, cookiePlace)) {
    const opened = context.services.sessions.open(text, `nonce ${realm}`);
    const [secret = '', at = ''] = opened?.text.split(' ') ?? [];
    if (secret !== '' && context.now() - Number(at) < SECRET_MS + LOGIN_MS) found.push({ secret, at: Number(at) });
  }
  return found;
}

export const tagOf = (secret: string, id: string): string => derived(secret, 'tag', id);
/** RFC 7636 §4.1. */
export const verifierOf = (secret: string, id: string): string => derived(secret, 'verifier', id);
export const nonceOf = (secret: string, id: string): string => derived(secret, 'nonce', id);
/** RFC 7636 §4.2, S256. */
export const challengeOf = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url');

function derived(secret: string, purpose: string, id: string): string {
  return createHmac('sha256', secret).update(`${purpose} ${id}`).digest('base64url');
}
