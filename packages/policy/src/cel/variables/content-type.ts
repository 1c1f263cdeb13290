/** `content-type` and `content-encoding` as expressions see them (traffic-policy.md §6). */
import { celMap } from '@bufbuild/cel';
import { MAX_PARTS, TOO_MANY_MEDIA_PARAMETERS, TOO_MANY_STEPS } from '../limits.ts';
import type { Scope } from '../scope.ts';
import { spend } from '../work.ts';
import { listOfStrings, type Result, type Value } from '../value.ts';

/** `text/html; charset=utf-8` → `text/html`. */
export function mediaType(header: string): string {
  const end = header.indexOf(';');
  return (end === -1 ? header : header.slice(0, end)).trim().toLowerCase();
}

export function mediaParameters(header: string, scope: Scope): Result {
  if (!spend(scope, header.length * 3)) return TOO_MANY_STEPS;
  const parameters = new Map<string, string>();
  let begin = header.indexOf(';');
  for (let count = 0; begin !== -1; count++) {
    if (count === MAX_PARTS) return TOO_MANY_MEDIA_PARAMETERS;
    const end = endOfPart(header, begin + 1);
    const part = header.slice(begin + 1, end);
    begin = end < header.length ? end : -1;
    const eq = part.indexOf('=');
    if (eq !== -1) parameters.set(part.slice(0, eq).trim().toLowerCase(), unquoted(part.slice(eq + 1).trim()));
  }
  return celMap(parameters);
}

/** Where the next semicolon is that stands in no quoted text (RFC 9110 §5.6.4), or the end. */
function endOfPart(header: string, begin: number): number {
  let quoted = false;
  for (let i = begin; i < header.length; i++) {
    const c = header[i];
    if (c === '"') quoted = !quoted;
    else if (quoted && c === '\\') i++;
    else if (!quoted && c === ';') return i;
  }
  return header.length;
}

function unquoted(value: string): string {
  const quoted = value.length >= 2 && value.startsWith('"') && value.endsWith('"');
  return quoted ? value.slice(1, -1).replace(/\\(.)/gs, '$1') : value;
}

export function tokens(header: string): Value {
  return listOfStrings(
    header
      .split(',')
      .map((token) => token.trim().toLowerCase())
      .filter((token) => token !== ''),
  );
}
