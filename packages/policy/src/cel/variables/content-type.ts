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
  const parts = header.split(';', MAX_PARTS + 2);
  if (parts.length > MAX_PARTS + 1) return TOO_MANY_MEDIA_PARAMETERS;
  for (const part of parts.slice(1)) {
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
