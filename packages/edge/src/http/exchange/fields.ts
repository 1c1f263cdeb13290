/**
 * Raw header lists: look-ups, edits in place, and what a proxy has to take out (RFC 9110 §7.6.1).
 */
import { isUtf8 } from 'node:buffer';
import { HOP_BY_HOP_NAMES, isHopByHop, type RawFields } from '@postern/protocol';

/** A final answer with this status has none, whatever its fields say (RFC 9110 §6.4.1). */
export function hasNoBody(status: number): boolean {
  return status === 204 || status === 304;
}

/** `name` in lower case. */
export function isNamed(field: string, name: string): boolean {
  return field.length === name.length && (field === name || field.toLowerCase() === name);
}

/** Characters of names and values, without what HTTP/2 counts on top for each (RFC 9113 §6.5.2). */
export function sizeOf(fields: readonly string[]): number {
  let size = 0;
  for (const text of fields) size += text.length;
  return size;
}

/** First value of a field; `name` in lower case. */
export function valueOf(fields: RawFields, name: string): string | undefined {
  for (let at = 0; at < fields.length; at += 2) {
    if (isNamed(fields[at] ?? '', name)) return fields[at + 1];
  }
  return undefined;
}

/** @returns whether there was one */
export function removeField(fields: RawFields, name: string): boolean {
  let kept = 0;
  for (let at = 0; at < fields.length; at += 2) {
    const field = fields[at] ?? '';
    if (isNamed(field, name)) continue;
    fields[kept] = field;
    fields[kept + 1] = fields[at + 1] ?? '';
    kept += 2;
  }
  const found = kept !== fields.length;
  fields.length = kept;
  return found;
}

/** The same, and names that differ by `_` for `-`: services that read headers as CGI variables do see no difference. */
export function removeLookAlikes(fields: RawFields, name: string): boolean {
  const found = removeField(fields, name);
  for (let at = fields.length - 2; at >= 0; at -= 2) {
    const field = fields[at] ?? '';
    if (field.length === name.length && field.includes('_') && field.toLowerCase().replaceAll('_', '-') === name) {
      fields.splice(at, 2);
    }
  }
  return found;
}

export function replaceField(fields: RawFields, name: string, value: string): void {
  removeField(fields, name.toLowerCase());
  fields.push(name, value);
}

/** First letters that fields of one hop have, by the length of their names. */
const HOP_LETTERS: readonly string[] = Array.from({ length: 20 }, (_, length) =>
  HOP_BY_HOP_NAMES.filter((name) => name.length === length)
    .map((name) => name.charAt(0))
    .join(''),
);

/**
 * Whether a field concerns one connection only. Length and first letter first: nearly all names are dismissed by them,
 * without making them lower case.
 */
export function isOfOneHop(field: string): boolean {
  const letters = HOP_LETTERS[field.length];
  if (letters === undefined || letters === '') return false;
  const first = String.fromCharCode(field.charCodeAt(0) | 32);
  return letters.includes(first) && isHopByHop(field.toLowerCase());
}

/**
 * Text → field value on the wire: UTF-8 bytes, one per char (obs-text, RFC 9110 §5.5); no blanks around it. Control
 * characters, which policies refuse before this, become spaces.
 */
export function wireValue(text: string): string {
  if (VISIBLE.test(text)) return text;
  const bytes = BEYOND_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
  return bytes.replace(CONTROLS, ' ').trim();
}

/** Field value on the wire → its text: as UTF-8, or byte by byte where it is no UTF-8. */
export function textOfValue(value: string): string {
  if (!BEYOND_ASCII.test(value)) return value;
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : value;
}

const VISIBLE = /^[!-~]*$/;
const BEYOND_ASCII = /[\u0080-\uffff]/;
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f]/g;
