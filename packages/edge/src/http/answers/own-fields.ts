/** Fields of answers that are made here. */
import { isToken, type RawFields } from '@postern/protocol';
import { hasNoBody, valueOf, wireValue } from '../exchange/fields.ts';

const NOTHING = Buffer.alloc(0);

/** As they go on the wire, but for Date, and what of the body is sent: nothing behind a status that has none. */
export function fieldsOf(
  status: number,
  headers: readonly (readonly [string, string])[],
  body: Buffer,
): { readonly fields: RawFields; readonly sent: Buffer } {
  const fields: RawFields = [];
  for (const [name, value] of headers) if (isToken(name)) fields.push(name, wireValue(value));
  const bodiless = hasNoBody(status);
  if (!bodiless && valueOf(fields, 'content-length') === undefined) fields.push('Content-Length', String(body.length));
  return { fields, sent: bodiless ? NOTHING : body };
}

let second = 0;
let dated = '';

/** IMF-fixdate; made once a second. */
export function httpDate(now: number): string {
  const current = Math.floor(now / 1_000);
  if (current !== second) {
    second = current;
    dated = new Date(current * 1_000).toUTCString();
  }
  return dated;
}
