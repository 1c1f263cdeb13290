/**
 * Field rules of HTTP/2 (RFC 9113 §8.2), applied before a field may be written into an HTTP/1 head.
 */
import { allIn, isFieldValue, TOKEN } from './characters.ts';
import { isHopByHop } from './hop-by-hop.ts';
import { Refusal } from './refusal.ts';
import type { RawFields } from './types.ts';

/** Pseudo fields and ordinary fields of one header block. */
export interface H2Block {
  /** Name, value, …, each name once. */
  readonly pseudo: RawFields;
  /** Names in lower case. */
  readonly fields: RawFields;
}

/**
 * Splits a block as `node:http2` gives it (`rawHeaders`: name, value, …) and checks every field.
 * @param allowed names of pseudo fields that may be there
 * @throws Refusal
 */
export function readH2Block(raw: readonly string[], allowed: ReadonlySet<string>, maxFields: number): H2Block {
  const pseudo: RawFields = [];
  const fields: RawFields = [];
  if (raw.length > maxFields * 2) throw new Refusal(431, `more than ${maxFields} header fields`);
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? '';
    const value = raw[index + 1] ?? '';
    if (name.charCodeAt(0) === 58) {
      if (fields.length > 0) throw new Refusal(400, 'a pseudo-header field after another field');
      if (!allowed.has(name)) throw new Refusal(400, `a pseudo-header field that is not known here`);
      if (pseudoOf(pseudo, name) !== null) throw new Refusal(400, `a repeated ${name}`);
      if (!isFieldValue(value)) throw new Refusal(400, `a byte in ${name} that may not be there`);
      pseudo.push(name, value);
      continue;
    }
    checkField(name, value);
    fields.push(name, value);
  }
  return { pseudo, fields };
}

/** The value of a pseudo field, null when it is absent. */
export function pseudoOf(pseudo: RawFields, name: string): string | null {
  for (let index = 0; index < pseudo.length; index += 2) {
    if (pseudo[index] === name) return pseudo[index + 1] ?? '';
  }
  return null;
}

function checkField(name: string, value: string): void {
  if (name === '' || !allIn(TOKEN, name)) throw new Refusal(400, 'a header name that is not a token');
  if (name !== name.toLowerCase()) throw new Refusal(400, 'a header name that is not in lower case');
  if (!isFieldValue(value))
    throw new Refusal(400, `a value of ${name} with a byte or whitespace that may not be there`);
  if (name === 'te') {
    if (value.toLowerCase() !== 'trailers') throw new Refusal(400, 'a te field other than "trailers"');
    return;
  }
  if (name === 'proxy-authorization' || name === 'proxy-authenticate') return;
  if (isHopByHop(name)) throw new Refusal(400, `the field ${name}, which concerns HTTP/1 connections only`);
  if (name === 'content_length' || name === 'transfer_encoding') {
    throw new Refusal(400, 'a field that imitates the framing of HTTP/1 with an underscore');
  }
}

/**
 * The only value of a field that may be there once.
 * @returns null when it is absent
 * @throws Refusal when it is repeated
 */
export function singleField(fields: RawFields, lowerName: string): string | null {
  let found: string | null = null;
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index] !== lowerName) continue;
    if (found !== null) throw new Refusal(400, `a repeated ${lowerName} field`);
    found = fields[index + 1] ?? '';
  }
  return found;
}
