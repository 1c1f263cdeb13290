/** Raw header lists for `node:http2`, which refuses a repeated field that may be there only once. */
import { fieldsForH2, type RawFields } from '@postern/protocol';

const SINGLE_NAMES: readonly string[] = [
  'access-control-allow-credentials',
  'access-control-max-age',
  'access-control-request-method',
  'age',
  'authorization',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-md5',
  'content-range',
  'content-type',
  'date',
  'dnt',
  'etag',
  'expires',
  'from',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'range',
  'referer',
  'retry-after',
  'tk',
  'upgrade-insecure-requests',
  'user-agent',
  'x-content-type-options',
];
/** The bit of each; the names are more than an integer has bits. */
const SINGLE: ReadonlyMap<string, number> = new Map(SINGLE_NAMES.map((name, at) => [name, at]));
const BITS = 30;

/** Appends fields in HTTP/2 form to pseudo fields; of a repeated single field the first stays. */
export function h2Block(pseudo: string[], fields: RawFields): string[] {
  const prepared = fieldsForH2(fields);
  let seen = 0;
  let seenAbove = 0;
  for (let at = 0; at < prepared.length; at += 2) {
    const name = prepared[at] ?? '';
    const single = SINGLE.get(name);
    if (single !== undefined) {
      const bit = 1 << (single % BITS);
      if (((single < BITS ? seen : seenAbove) & bit) !== 0) continue;
      if (single < BITS) seen |= bit;
      else seenAbove |= bit;
    }
    pseudo.push(name, prepared[at + 1] ?? '');
  }
  return pseudo;
}

/** For the calls that take an object only: informational heads and trailers. */
export function h2Object(fields: RawFields): Record<string, string | string[]> {
  const block = h2Block([], fields);
  // Names are strangers': a field may be called as what every object has.
  const result: Record<string, string | string[]> = Object.create(null);
  for (let at = 0; at < block.length; at += 2) {
    const name = block[at] ?? '';
    const value = block[at + 1] ?? '';
    const before = result[name];
    if (before === undefined) result[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else result[name] = [before, value];
  }
  return result;
}

/** Fields of a block without its pseudo fields. */
export function ordinaryFields(raw: readonly string[]): RawFields {
  const fields: RawFields = [];
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? '';
    if (!name.startsWith(':')) fields.push(name, raw[at + 1] ?? '');
  }
  return fields;
}
