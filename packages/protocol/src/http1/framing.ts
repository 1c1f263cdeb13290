/**
 * What the fields of a head say about its body and its connection (RFC 9112 §6 and §9). Stricter than the RFC where it
 * leaves a choice: a message that two parsers could frame differently is refused.
 */
import { allIn, equalsLower, TOKEN } from './characters.ts';
import type { FieldSection } from './fields.ts';
import { tokenList, trimBlank } from './token-list.ts';
import { Refusal } from './refusal.ts';
import type { Framing } from './types.ts';

export const NO_BODY: Framing = { kind: 'none' };
export const CHUNKED: Framing = { kind: 'chunked' };
export const UNTIL_CLOSE: Framing = { kind: 'close' };

/**
 * Framing that Content-Length and Transfer-Encoding ask for; null when neither is there.
 * @throws Refusal 400, or 501 for a transfer coding that is valid and not `chunked` alone
 */
export function declaredFraming(section: FieldSection, minor: 0 | 1): Framing | null {
  const { contentLength, transferEncoding } = section;
  if (transferEncoding !== null) {
    if (contentLength !== null) throw new Refusal(400, 'both Content-Length and Transfer-Encoding');
    if (minor === 0) throw new Refusal(400, 'Transfer-Encoding in HTTP/1.0');
    if (!equalsLower(transferEncoding, 0, transferEncoding.length, 'chunked')) throw codingRefusal(transferEncoding);
    return CHUNKED;
  }
  return contentLength === null ? null : { kind: 'length', length: parseContentLength(contentLength) };
}

/** @throws Refusal for anything but plain decimal digits without leading zeros, up to 2^53 - 1 */
export function parseContentLength(value: string): number {
  let length = 0;
  for (let at = 0; at < value.length; at++) {
    const digit = value.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) throw new Refusal(400, 'a Content-Length that is not a decimal number');
    length = length * 10 + digit;
    if (length > Number.MAX_SAFE_INTEGER) throw new Refusal(400, 'a Content-Length that is too large');
  }
  if (value === '') throw new Refusal(400, 'an empty Content-Length');
  if (value.length > 1 && value.charCodeAt(0) === 48) throw new Refusal(400, 'a Content-Length with leading zeros');
  return length;
}

function codingRefusal(value: string): Refusal {
  const codings = value.split(',').map((part) => trimBlank(part).toLowerCase());
  const wellFormed = codings.every((coding) => coding !== '' && allIn(TOKEN, coding));
  const early = codings.indexOf('chunked');
  if (!wellFormed || (early !== -1 && early !== codings.length - 1)) {
    return new Refusal(400, 'a Transfer-Encoding that does not end in one "chunked"');
  }
  return new Refusal(501, 'a Transfer-Encoding other than "chunked"');
}

/** What the Connection field asks for. */
export interface ConnectionOptions {
  readonly close: boolean;
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
}

const NOTHING_ASKED: ConnectionOptions = { close: false, keepAlive: false, upgrade: false };
const KEEP_ALIVE: ConnectionOptions = { close: false, keepAlive: true, upgrade: false };
const CLOSE: ConnectionOptions = { close: true, keepAlive: false, upgrade: false };

/** @throws Refusal when the field is not a list of tokens */
export function connectionOptions(value: string | null): ConnectionOptions {
  if (value === null) return NOTHING_ASKED;
  if (equalsLower(value, 0, value.length, 'keep-alive')) return KEEP_ALIVE;
  if (equalsLower(value, 0, value.length, 'close')) return CLOSE;
  const tokens = tokenList(value);
  if (tokens === null) throw new Refusal(400, 'a Connection field that is not a list of names');
  return {
    close: tokens.includes('close'),
    keepAlive: tokens.includes('keep-alive'),
    upgrade: tokens.includes('upgrade'),
  };
}

/**
 * The first protocol of an Upgrade list that may pass: `h2c` never does, because the peer behind would go on in HTTP/2
 * on a connection whose messages are no longer seen here.
 */
export function upgradeProtocol(value: string | null): string {
  if (value === null) return '';
  const tokens = tokenList(value);
  if (tokens === null) throw new Refusal(400, 'an Upgrade field that is not a list of protocols');
  return tokens.find((token) => token !== 'h2c') ?? '';
}
