/**
 * Patterns of rules. They are written for PCRE and run by RE2, whose time grows with text times program: what only PCRE
 * has is replaced where the meaning stays, and else named as not run. Texts and patterns are bytes, one to a character.
 */
import { RE2JS } from 're2js';
import { NotRun } from '../syntax/problem.ts';

/** Characters times instructions, beyond which a search is not begun: some 0.2 s at the very worst. */
export const MOST_PRODUCT = 60_000_000;
/** What a pattern may keep of the texts that it has seen (its automaton), as the library counts it. */
const AUTOMATON_BYTES = 256 * 1024;
/** A dot is any byte; lookbehinds take linear time there, too. */
const FLAGS = RE2JS.DOTALL | RE2JS.LOOKBEHINDS;

export interface Pattern {
  readonly size: number;
  test(text: string): boolean;
  /** All of the match and its first nine groups. */
  groups(text: string): readonly string[];
}

/** @throws NotRun */
export function compilePattern(source: string): Pattern {
  const regex = compiled(translated(withoutLastLookahead(source)));
  boundMemory(regex);
  const most = Math.min(regex.groupCount(), 9);
  return {
    size: regex.programSize(),
    test: (text) => regex.test(text),
    groups(text) {
      const matcher = regex.matcher(text);
      const groups: string[] = [];
      if (!matcher.find()) return groups;
      for (let group = 0; group <= most; group++) groups.push(matcher.group(group) ?? '');
      return groups;
    },
  };
}

function compiled(source: string): RE2JS {
  try {
    return RE2JS.compile(source, FLAGS);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'bad syntax';
    throw new NotRun(`its pattern is none of RE2 (${reason.slice(0, 80)})`);
  }
}

/** `<\?(?!xml)` at a pattern's end: nothing behind it, or something that begins otherwise. */
function withoutLastLookahead(source: string): string {
  const match = /^(.*)\(\?!(\w{1,40})\)$/s.exec(source);
  if (match === null) return source;
  const [, before = '', word = ''] = match;
  const others = word.split('').map((char, index) => `${word.slice(0, index)}(?:[^${char}]|$)`);
  return `${before}(?:${others.join('|')})`;
}

/** Possessive quantifiers and atomic groups only forbid to try again: plain ones match the same, and a few texts more. */
function translated(source: string): string {
  let out = '';
  let inClass = false;
  for (let at = 0; at < source.length; at++) {
    const char = source.charAt(at);
    if (char === '\\') {
      const next = source.charAt(at + 1);
      // PCRE counts the vertical tab among white space, and RE2 does not.
      if (next === 's') out += inClass ? '\\s\\x0b' : '[\\s\\x0b]';
      else if (next === 'h') out += inClass ? ' \\t' : '[ \\t]';
      else if (next === 'e') out += '\\x1b';
      else out += char + next;
      at++;
      continue;
    }
    if (inClass) {
      if (char === ']') inClass = false;
      else if (char === '[' && source.charAt(at + 1) === ':') {
        const end = source.indexOf(':]', at);
        if (end > 0) {
          out += source.slice(at, end + 2);
          at = end + 1;
          continue;
        }
      } else if (char === '[') {
        out += '\\[';
        continue;
      }
      out += char;
      continue;
    }
    if (char === '[') {
      inClass = true;
      out += char;
      // A bracket that comes first is one of the class.
      if (source.charAt(at + 1) === '^') out += source.charAt(++at);
      if (source.charAt(at + 1) === ']') {
        out += '\\]';
        at++;
      }
      continue;
    }
    if (source.startsWith('(?>', at)) {
      out += '(?:';
      at += 2;
      continue;
    }
    const possessive = char === '+' && /[*+?}]/.test(source.charAt(at - 1)) && !isEscaped(source, at - 1);
    if (possessive) continue;
    out += char;
  }
  return out;
}

function isEscaped(source: string, at: number): boolean {
  let slashes = 0;
  while (source.charAt(at - 1 - slashes) === '\\') slashes++;
  return slashes % 2 === 1;
}

/** Visitors choose the texts, and with them how large automatons grow: the library allows 8 MiB each. */
function boundMemory(regex: RE2JS): void {
  const inner: unknown = Reflect.get(regex, 're2Input');
  const automaton: unknown = typeof inner === 'object' && inner !== null ? Reflect.get(inner, 'dfa') : null;
  if (typeof automaton !== 'object' || automaton === null) throw new Error('re2js keeps its automaton elsewhere now');
  for (const field of ['stateBudget', 'memBudget']) {
    if (typeof Reflect.get(automaton, field) !== 'number') throw new Error('re2js counts its automaton otherwise now');
    Reflect.set(automaton, field, AUTOMATON_BYTES);
  }
}
