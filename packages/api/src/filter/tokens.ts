import { fail } from '@postern/errors';

export type Token =
  | { readonly type: 'name'; readonly text: string; readonly at: number }
  | { readonly type: 'string'; readonly text: string; readonly at: number }
  | { readonly type: 'number'; readonly value: number; readonly text: string; readonly at: number }
  | { readonly type: 'sign'; readonly text: string; readonly at: number }
  | { readonly type: 'end'; readonly text: ''; readonly at: number };

const MAX_LENGTH = 4_096;
const SIGNS = ['&&', '||', '==', '!=', '<=', '>=', '<', '>', '!', '(', ')', '[', ']', ',', '.'];
/** CEL's. What quotes a text for Go (`%q`) or in JSON writes some of these. */
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
  '`': '`',
  '?': '?',
};
const CODE = /^\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/;
const LONGEST_CODE = 10;

/** A filter that cannot be used: 250, with what is wrong and where (position from 1). */
export function badFilter(reason: string, at: number): Error {
  return fail(250, { reason, position: at + 1 });
}

/** Splits a filter into tokens; the last one is `end`. */
export function tokenise(source: string): Token[] {
  if (source.length > MAX_LENGTH) throw badFilter(`it has more than ${MAX_LENGTH} characters`, MAX_LENGTH);
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const character = source.charAt(at);
    if (/\s/.test(character)) {
      at += 1;
      continue;
    }
    const token = character === '"' || character === "'" ? readString(source, at) : readPlain(source, at);
    tokens.push(token.token);
    at = token.end;
  }
  tokens.push({ type: 'end', text: '', at: source.length });
  return tokens;
}

interface Read {
  readonly token: Token;
  readonly end: number;
}

function readPlain(source: string, at: number): Read {
  const rest = source.slice(at);
  const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(rest)?.[0];
  if (name !== undefined) return { token: { type: 'name', text: name, at }, end: at + name.length };
  const number = /^-?\d+(\.\d+)?([eE][+-]?\d+)?/.exec(rest)?.[0];
  if (number !== undefined) {
    return { token: { type: 'number', value: Number(number), text: number, at }, end: at + number.length };
  }
  const sign = SIGNS.find((candidate) => rest.startsWith(candidate));
  if (sign === undefined) throw badFilter(`"${source.charAt(at)}" has no meaning here`, at);
  return { token: { type: 'sign', text: sign, at }, end: at + sign.length };
}

function readString(source: string, start: number): Read {
  const quote = source.charAt(start);
  let text = '';
  let at = start + 1;
  while (at < source.length) {
    const character = source.charAt(at);
    if (character === quote) return { token: { type: 'string', text, at: start }, end: at + 1 };
    if (character === '\\') {
      const escaped = ESCAPES[source.charAt(at + 1)];
      const code = escaped === undefined ? readCode(source, at) : { text: escaped, end: at + 2 };
      text += code.text;
      at = code.end;
      continue;
    }
    text += character;
    at += 1;
  }
  throw badFilter('a string is not closed', start);
}

function readCode(source: string, at: number): { readonly text: string; readonly end: number } {
  const [whole, x, u, long, octal] = CODE.exec(source.slice(at, at + LONGEST_CODE)) ?? [];
  if (whole === undefined) throw badFilter('a backslash is followed by no known escape', at);
  const code = octal === undefined ? Number.parseInt(x ?? u ?? long ?? '', 16) : Number.parseInt(octal, 8);
  const isCharacter = code <= 0x10_ff_ff && (code < 0xd8_00 || code > 0xdf_ff);
  if (!isCharacter) throw badFilter(`${whole} is no character`, at);
  return { text: String.fromCodePoint(code), end: at + whole.length };
}
