/** `content-type` and `content-encoding` as expressions see them (traffic-policy.md §6). */
import { celMap } from '@bufbuild/cel';
import { listOfStrings, type Value } from '../value.ts';

/** `text/html; charset=utf-8` → `text/html`. */
export function mediaType(header: string): string {
  const end = header.indexOf(';');
  return (end === -1 ? header : header.slice(0, end)).trim().toLowerCase();
}

export function mediaParameters(header: string): Value {
  const parameters = new Map<string, string>();
  for (const part of header.split(';', 50).slice(1)) {
    const eq = part.indexOf('=');
    if (eq === -1) continue;
    const value = part.slice(eq + 1).trim();
    parameters.set(
      part.slice(0, eq).trim().toLowerCase(),
      value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value,
    );
  }
  return celMap(parameters);
}

export function tokens(header: string): Value {
  return listOfStrings(
    header
      .split(',')
      .map((token) => token.trim().toLowerCase())
      .filter((token) => token !== ''),
  );
}
