/** Entities of HTML, as browsers take them: with or without a semicolon. */

const NAMED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['gt', '>'],
  ['lt', '<'],
  ['nbsp', '\xa0'],
  ['quot', '"'],
]);
/** Digits of a character's number that count. */
const MOST_DIGITS = 8;

export function htmlEntityDecode(text: string): string {
  if (!text.includes('&')) return text;
  let out = '';
  for (let at = 0; at < text.length;) {
    const entity = text.charAt(at) === '&' ? entityAt(text, at) : null;
    if (entity === null) {
      out += text.charAt(at++);
      continue;
    }
    out += entity.char;
    at = text.charAt(entity.next) === ';' ? entity.next + 1 : entity.next;
  }
  return out;
}

function entityAt(text: string, at: number): { char: string; next: number } | null {
  if (text.charAt(at + 1) === '#') {
    const hex = (text.charCodeAt(at + 2) | 0x20) === 120;
    const from = at + (hex ? 3 : 2);
    const next = runFrom(text, from, hex ? isHex : isDigit);
    if (next === from) return null;
    // Leading zeros may be many; of a number that is too large nothing is known.
    const value = Number.parseInt(text.slice(Math.max(from, next - MOST_DIGITS), next), hex ? 16 : 10);
    return { char: String.fromCharCode(value & 0xff), next };
  }
  const next = runFrom(text, at + 1, isLetter);
  const char = NAMED.get(text.slice(at + 1, next).toLowerCase());
  return char === undefined ? null : { char, next };
}

function runFrom(text: string, from: number, is: (code: number) => boolean): number {
  let at = from;
  while (at < text.length && is(text.charCodeAt(at))) at++;
  return at;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isHex(code: number): boolean {
  return isDigit(code) || ((code | 0x20) >= 97 && (code | 0x20) <= 102);
}

function isLetter(code: number): boolean {
  return (code | 0x20) >= 97 && (code | 0x20) <= 122;
}
