/** What a visitor who has logged in is known by; it is kept, sealed, in the browser and nowhere else. */
import { isMembers } from '../actions/jwt-validation/token.ts';
import { MOST_TEXT } from './cookies.ts';

export interface Identity {
  /** As the provider names the person. Never ''. */
  readonly subject: string;
  /** '' = not known, or not the person's by the provider's own word. */
  readonly email: string;
  readonly name: string;
}

export interface Tokens {
  readonly access: string;
  /** '' = there is none. */
  readonly refresh: string;
  /** OpenID Connect's; '' = there is none. */
  readonly identity: string;
  /** Of the access token, Unix milliseconds; 0 = not known. */
  readonly expiresAt: number;
}

/** Times are Unix milliseconds. */
export interface Session {
  readonly id: string;
  readonly identity: Identity;
  /** Id of that person (ids.ts); absent where an earlier version has written it. */
  readonly person?: string;
  readonly tokens: Tokens;
  /** That the provider has put the person into; absent = it does not say. */
  readonly groups?: readonly string[];
  /** Unix milliseconds after which the provider wants it to be over; absent = it does not say. */
  readonly until?: number;
  /** What it was begun, or renewed, with; '' = that does not matter. */
  readonly config: string;
  readonly begunAt: number;
  /** The last request, roughly. */
  readonly seenAt: number;
  /** When the provider last said who this is, and when it was last asked. */
  readonly knownAt: number;
  readonly askedAt: number;
}

const VERSION = 1;
/** What sealing and base64 make of a text. */
const sealedLength = (text: string): number => Math.ceil(((Buffer.byteLength(text) + 28) * 4) / 3) + 16;

/** @returns its text, without tokens where it would be too long with them; `complete` says which */
export function writeSession(session: Session): { readonly text: string; readonly complete: boolean } {
  const { tokens } = session;
  const shorter: readonly Tokens[] = [
    tokens,
    { ...tokens, identity: '' },
    { access: '', refresh: '', identity: '', expiresAt: tokens.expiresAt },
  ];
  for (const kept of shorter) {
    const text = JSON.stringify({ v: VERSION, ...session, tokens: kept });
    if (sealedLength(text) <= MOST_TEXT) return { text, complete: kept === tokens };
  }
  throw new Error('an identity is longer than it may be');
}

/** @returns null for one that an earlier version wrote in another way */
export function readSession(text: string): Session | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  // Nobody but a server of this installation has written it.
  // oxlint-disable-next-line no-unsafe-type-assertion
  return isMembers(value) && value['v'] === VERSION ? (value as unknown as Session) : null;
}

const MOST_SUBJECT = 255;
const MOST_EMAIL = 320;
const MOST_NAME = 200;

/** What a provider says of a person, made fit to be kept. @returns null without a subject */
export function identityOf(subject: unknown, email: unknown, name: unknown): Identity | null {
  const id = typeof subject === 'number' && Number.isSafeInteger(subject) ? String(subject) : subject;
  if (typeof id !== 'string' || id === '' || id.length > MOST_SUBJECT) return null;
  // Half an address would be another one.
  const address = typeof email === 'string' && email.length <= MOST_EMAIL ? plain(email) : '';
  return { subject: plain(id), email: address, name: typeof name === 'string' ? plain(name).slice(0, MOST_NAME) : '' };
}

/** Without control characters: rules and headers get it. */
function plain(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '').toWellFormed();
}
