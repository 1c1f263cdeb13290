/** Replacing what a pattern matches, as Go's regexp does: every match, with `$1`, `$name` and `${name}` for groups. */
import type { Matcher, RE2JS } from 're2js';
import { maySearch } from '../cel/functions/regex.ts';
import { LIST_TOO_LONG, MAX_LIST, MAX_TEXT, TEXT_TOO_LONG, TOO_MANY_STEPS, TOO_MUCH_TO_MATCH } from '../cel/limits.ts';
import type { Scope } from '../cel/scope.ts';
import type { Fatal } from '../cel/value.ts';
import { measured, spend } from '../cel/work.ts';

/** What stands in place of a match: texts, and numbers of groups. */
export type Replacement = readonly (string | number)[];

const REFERENCE = /\$(?:(\$)|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu;

/** A reference takes the longest name that it can (`$1x` is the group "1x"); one to no group of the pattern is empty. */
export function parseReplacement(text: string, regex: RE2JS): Replacement {
  const parts: (string | number)[] = [];
  let from = 0;
  for (const match of text.matchAll(REFERENCE)) {
    parts.push(text.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[1] !== undefined) parts.push('$');
    const group = groupOf(match[2] ?? match[3] ?? '', regex);
    if (group !== null) parts.push(group);
  }
  parts.push(text.slice(from));
  return parts.filter((part) => part !== '');
}

function groupOf(name: string, regex: RE2JS): number | null {
  if (/^(?:0|[1-9]\d{0,7})$/.test(name)) return Number(name) <= regex.groupCount() ? Number(name) : null;
  const named = regex.namedGroups();
  return Object.hasOwn(named, name) ? (named[name] ?? null) : null;
}

/**
 * Each search may go through all of the text again, so each is paid before the next begins.
 * @param matches gets every text that was replaced; null when nobody asks
 * @returns the text itself where nothing matches
 */
export function replaceAll(
  text: string,
  regex: RE2JS,
  replacement: Replacement,
  matches: string[] | null,
  scope: Scope,
): string | Fatal {
  if (!maySearch(regex, text)) return TOO_MUCH_TO_MATCH;
  const matcher = regex.matcher(text);
  const groups = replacement.some((part) => typeof part === 'number' && part > 0);
  let at = 0;
  const search = (): boolean => matcher.find(at) && (!groups || matcher.start(1) >= -1);
  let result = '';
  let done = 0;
  while (at <= text.length && measured(scope, search)) {
    const start = matcher.start();
    const end = matcher.end();
    result += text.slice(done, start);
    // Nothing, directly behind another match, is no match of its own.
    if (end > done || start === 0) {
      if (matches !== null && matches.push(text.slice(start, end)) > MAX_LIST) return LIST_TOO_LONG;
      if (!spend(scope, replacement.length * 5)) return TOO_MANY_STEPS;
      result = filled(result, replacement, matcher);
    }
    if (result.length > MAX_TEXT) return TEXT_TOO_LONG;
    if (scope.budget < 0) return TOO_MANY_STEPS;
    done = end;
    at = end > at ? end : at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
  }
  if (scope.budget < 0) return TOO_MANY_STEPS;
  return result + text.slice(done);
}

/** `result` with one more match replaced; not all of it once it is too long anyway. */
function filled(result: string, replacement: Replacement, matcher: Matcher): string {
  let text = result;
  for (const part of replacement) {
    text += typeof part === 'string' ? part : (matcher.group(part) ?? '');
    if (text.length > MAX_TEXT) break;
  }
  return text;
}
