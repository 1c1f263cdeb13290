/** Comma-separated lists in field values (RFC 9110 §5.6.1), and the blanks around what is in them. */
import { allIn, HTAB, SP, TOKEN } from './characters.ts';

/** What HTTP calls whitespace within a line. */
export function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}

/**
 * Splits a comma-separated list of tokens, lower-case, empty elements dropped.
 * @returns null when an element is not a token (a '/' is allowed: protocol names of Upgrade)
 */
export function tokenList(value: string): string[] | null {
  const tokens: string[] = [];
  for (const part of value.split(',')) {
    const token = trimBlank(part);
    if (token === '') continue;
    if (!allIn(TOKEN, token.replace('/', ''))) return null;
    tokens.push(token.toLowerCase());
  }
  return tokens;
}

/** Trims SP and HTAB only: `String.trim` also takes what HTTP does not call whitespace. */
export function trimBlank(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.substring(start, end);
}
