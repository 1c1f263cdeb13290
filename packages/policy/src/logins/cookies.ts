/**
 * What browsers keep of log-ins (RFC 6265). Over TLS a cookie has a name that no other host can set or send
 * (`__Host-`), unless its policy shares it with a domain. A session that is too long for one cookie has several.
 */

/** In the names of all of them. */
export const LOGIN_COOKIES = 'postern.';
const PREFIXES = ['__Host-', '__Secure-', ''] as const;

/** Characters of one value: browsers take 4,096 bytes with name and attributes. */
const MOST_VALUE = 3_500;
const MOST_PARTS = 4;
/** Longest text that can be kept. */
export const MOST_TEXT = MOST_VALUE * MOST_PARTS - 2;

/** Cookies of one name that are looked at: a browser sends several when they were set for several domains. */
const MOST_OF_NAME = 3;

/** How the cookies of one action are set at one address. */
export interface CookiePlace {
  /** Under TLS. */
  readonly secure: boolean;
  /** '' = for the host alone. */
  readonly domain: string;
  readonly authId: string;
}

/** Splits a Cookie header. @returns what is a log-in's, and what is the service's */
export function splitCookies(header: string): { readonly ours: string; readonly others: string } {
  const ours: string[] = [];
  const others: string[] = [];
  for (const part of header.split(';')) {
    const pair = part.trim();
    if (isOurs(pair)) ours.push(pair);
    else if (pair !== '') others.push(pair);
  }
  return { ours: ours.join('; '), others: others.join('; ') };
}

function isOurs(pair: string): boolean {
  return PREFIXES.some((prefix) => pair.startsWith(LOGIN_COOKIES, prefix.length) && pair.startsWith(prefix));
}

const PLAIN_ID = /^[\w-]{1,64}$/;

function nameOf({ secure, domain, authId }: CookiePlace, kind: 'session' | 'nonce'): string {
  const prefix = secure ? (domain === '' ? '__Host-' : '__Secure-') : '';
  const id = PLAIN_ID.test(authId) ? authId : `~${Buffer.from(authId).toString('base64url')}`;
  return `${prefix}${LOGIN_COOKIES}${authId === '' ? '' : `${id}.`}${kind}`;
}

/** @returns texts that may be the session, the likeliest first */
export function sessionTexts(cookies: string, place: CookiePlace): readonly string[] {
  const name = nameOf(place, 'session');
  return values(cookies, name).map((first) => {
    const count = Number(first.slice(0, 1));
    if (first[1] !== '.' || !(count >= 1 && count <= MOST_PARTS)) return '';
    let text = first.slice(2);
    for (let part = 1; part < count; part++) text += values(cookies, `${name}.${part}`)[0] ?? '';
    return text;
  });
}

/** @returns Set-Cookie lines; those of a longer session that was there before are taken back */
export function sessionLines(text: string, place: CookiePlace, maxAgeMs: number, cookies: string): readonly string[] {
  const name = nameOf(place, 'session');
  const count = Math.ceil((text.length + 2) / MOST_VALUE);
  const whole = `${count}.${text}`;
  const lines = Array.from({ length: count }, (_, part) =>
    line(partName(name, part), whole.slice(part * MOST_VALUE, (part + 1) * MOST_VALUE), place, maxAgeMs),
  );
  return [...lines, ...takenBack(name, count, place, cookies)];
}

export function noSessionLines(place: CookiePlace, cookies: string): readonly string[] {
  return takenBack(nameOf(place, 'session'), 0, place, cookies);
}

function takenBack(name: string, from: number, place: CookiePlace, cookies: string): readonly string[] {
  const lines: string[] = [];
  for (let part = from; part < MOST_PARTS; part++) {
    if (part === 0 || values(cookies, partName(name, part)).length > 0)
      lines.push(line(partName(name, part), '', place, 0));
  }
  return lines;
}

export function nonceTexts(cookies: string, place: CookiePlace): readonly string[] {
  return values(cookies, nameOf(place, 'nonce'));
}

/** @param text '' takes it back */
export function nonceLine(text: string, place: CookiePlace, maxAgeMs: number): string {
  return line(nameOf(place, 'nonce'), text, place, maxAgeMs);
}

function partName(name: string, part: number): string {
  return part === 0 ? name : `${name}.${part}`;
}

function values(cookies: string, name: string): readonly string[] {
  const found: string[] = [];
  for (const pair of cookies === '' ? [] : cookies.split('; ')) {
    if (pair.length > name.length && pair[name.length] === '=' && pair.startsWith(name)) {
      found.push(pair.slice(name.length + 1));
      if (found.length === MOST_OF_NAME) break;
    }
  }
  return found;
}

/** Lax: a browser that comes back from the provider is led here from another site. */
function line(name: string, value: string, { secure, domain }: CookiePlace, maxAgeMs: number): string {
  const where = domain === '' ? '' : `; Domain=${domain}`;
  const age = Math.max(0, Math.floor(maxAgeMs / 1000));
  return `${name}=${value}; Path=/${where}; Max-Age=${age}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
}
