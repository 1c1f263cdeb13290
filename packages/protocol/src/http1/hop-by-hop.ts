/**
 * Fields that concern one connection and do not pass a proxy (RFC 9110 §7.6.1), and how a field list is rid of them.
 */
import { equalsLower } from './characters.ts';
import { tokenList } from './token-list.ts';
import type { RawFields } from './types.ts';

/** Lower-case names of the fields that always concern one connection. */
export const HOP_BY_HOP_NAMES: readonly string[] = [
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
];
const HOP_BY_HOP: ReadonlySet<string> = new Set(HOP_BY_HOP_NAMES);

/** A Connection field cannot have these taken out: they frame, route or guard the message behind this proxy. */
const NEVER_NOMINATED = new Set(['authorization', 'content-length', 'content-type', 'cookie', 'host', 'trailer']);

const NONE: ReadonlySet<string> = new Set();

/** `Trailer` is not among them: trailers are relayed. */
export function isHopByHop(lowerName: string): boolean {
  return HOP_BY_HOP.has(lowerName);
}

/**
 * Lower-case names that Connection fields nominate for removal, without those that always concern one connection and
 * those that may not be nominated. Usually empty, and then always the same object.
 */
export function connectionTokens(fields: RawFields): ReadonlySet<string> {
  let nominated: Set<string> | null = null;
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? '';
    if (name.length !== 10 || !equalsLower(name, 0, 10, 'connection')) continue;
    for (const token of tokenList(fields[index + 1] ?? '') ?? []) {
      if (token === 'close' || HOP_BY_HOP.has(token) || NEVER_NOMINATED.has(token)) continue;
      nominated ??= new Set();
      nominated.add(token);
    }
  }
  return nominated ?? NONE;
}

/** A copy of `fields` as they may pass to the next connection. */
export function endToEndFields(fields: RawFields): RawFields {
  const nominated = connectionTokens(fields);
  const kept: RawFields = [];
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? '';
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || nominated.has(lower)) continue;
    kept.push(name, fields[index + 1] ?? '');
  }
  return kept;
}
