/**
 * Raw header lists: look-ups, edits in place, and what a proxy has to take out (RFC 9110 §7.6.1).
 */
import { HOP_BY_HOP_NAMES, isHopByHop, type RawFields } from '@postern/protocol';

/** `name` in lower case. */
export function isNamed(field: string, name: string): boolean {
  return field.length === name.length && (field === name || field.toLowerCase() === name);
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
 * Text that is safe as a field value on the wire: characters beyond latin1 become UTF-8 bytes, control characters
 * become spaces. Values of parsed messages already are; those that a policy computed may not be.
 */
export function wireValue(value: string): string {
  if (!UNSAFE.test(value)) return value;
  const latin1 = BEYOND_LATIN1.test(value) ? Buffer.from(value, 'utf8').toString('latin1') : value;
  return latin1.replace(CONTROLS, ' ').trim();
}

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const UNSAFE = /[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/;
// oxlint-disable-next-line no-control-regex -- as above
const BEYOND_LATIN1 = /[^\u0000-\u00ff]/;
// oxlint-disable-next-line no-control-regex -- as above
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f]/g;
