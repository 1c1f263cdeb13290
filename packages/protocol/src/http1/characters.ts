/**
 * Character classes of HTTP messages as tables indexed by char code (latin1), and the few string checks made of them
 * (RFC 9110 §5.5, §5.6.2).
 */
export const HTAB = 9;
export const LF = 10;
export const CR = 13;
export const SP = 32;
export const COLON = 58;

const TOKEN_CHARS = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

function table(accepts: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (accepts(code) ? 1 : 0));
}

/** tchar. */
export const TOKEN = table((code) => TOKEN_CHARS.includes(String.fromCharCode(code)));
/** What a field value may hold: HTAB, SP, VCHAR, obs-text. */
export const VALUE = table((code) => code === HTAB || (code >= SP && code !== 127));
/** What a request target may hold: visible ASCII without '#', which has to be percent-encoded. */
export const TARGET = table((code) => code > SP && code < 127 && code !== 35);
/** reg-name of a host that can be routed, without percent-encoding and sub-delims. */
export const HOST = table((code) => /^[A-Za-z0-9._~-]$/.test(String.fromCharCode(code)));
/** Values of hexadecimal digits; 255 = none. */
export const HEX = Uint8Array.from({ length: 256 }, (_, code) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase());
  return digit < 0 ? 255 : digit;
});

/** Every char of `text` from `start` to `end` is in the class. Codes above 255 never are. */
export function allIn(classOf: Uint8Array, text: string, start = 0, end = text.length): boolean {
  for (let at = start; at < end; at++) {
    if (classOf[text.charCodeAt(at)] !== 1) return false;
  }
  return true;
}

/** A non-empty token. */
export function isToken(text: string): boolean {
  return text.length > 0 && allIn(TOKEN, text);
}

/** A field value as it may be written: no control bytes, nothing beyond latin1, no outer whitespace. */
export function isFieldValue(text: string): boolean {
  if (text.length === 0) return true;
  const first = text.charCodeAt(0);
  const last = text.charCodeAt(text.length - 1);
  if (first === SP || first === HTAB || last === SP || last === HTAB) return false;
  return allIn(VALUE, text);
}

/** ASCII case-insensitive comparison of `text[start..end)` with a lower-case word. */
export function equalsLower(text: string, start: number, end: number, lower: string): boolean {
  if (end - start !== lower.length) return false;
  for (let index = 0; index < lower.length; index++) {
    let code = text.charCodeAt(start + index);
    if (code >= 65 && code <= 90) code += 32;
    if (code !== lower.charCodeAt(index)) return false;
  }
  return true;
}
