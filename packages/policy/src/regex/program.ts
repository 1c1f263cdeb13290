/**
 * What a regular expression compiles to, as automata need it (automata.ts): re2js parses and compiles, and answers whether
 * a text matches; where matches are, it tells by going through the text once for each instruction, which is too slow for
 * bodies.
 */
import type { RE2JS } from 're2js';

/** Of re2js 2.10, as of Go's regexp/syntax. What is above takes a character. */
export const Op = { alt: 1, altMatch: 2, capture: 3, empty: 4, fail: 5, match: 6, nop: 7 } as const;
const FIRST_RUNE = 8;
const LAST_RUNE = 11;

/** What stands at one side of a place in the text. */
export const Beside = { other: 0, newline: 1, word: 2, edge: 4 } as const;
const BEGIN_LINE = 1;
const END_LINE = 2;
const BEGIN_TEXT = 4;
const END_TEXT = 8;
const WORD_BOUNDARY = 16;
const NO_WORD_BOUNDARY = 32;

interface Instruction {
  readonly op: number;
  readonly out: number;
  readonly arg: number;
  matchRune(rune: number): boolean;
}

export interface Program {
  readonly start: number;
  readonly op: Uint8Array;
  readonly out: Int32Array;
  /** Of an alternative the second way, of a capture its slot, of an assertion what it asks for. */
  readonly arg: Int32Array;
  /** Characters that no instruction tells apart are one class; where each begins but the first, which begins at 0. */
  readonly bounds: Int32Array;
  /** Class → what its characters are beside a place (`Beside`). */
  readonly beside: Uint8Array;
  /** Classes of ASCII. */
  readonly ascii: Uint16Array;
  /** It asks what is beside places (`^`, `$`, `\b`). */
  readonly asserts: boolean;
  readonly groups: number;
  /** What every match begins with; empty = unknown. */
  readonly prefix: Buffer;
  /** The prefix is all of it. */
  readonly literal: boolean;
  /** Whether an instruction takes the characters of a class. */
  takes(pc: number, cls: number): boolean;
}

export function takesCharacter(op: number): boolean {
  return op >= FIRST_RUNE;
}

export function readProgram(regex: RE2JS): Program {
  const { prog, prefix, prefixComplete, dfa } = regex.re2();
  const bounds = dfa.classBounds;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the library has no types for it; its version is pinned
  const instructions = prog.inst as readonly Instruction[];
  if (instructions.some(({ op }) => op > LAST_RUNE)) throw new Error('a look-behind has no automaton');
  const begin = (cls: number): number => (cls === 0 ? 0 : (bounds[cls - 1] ?? 0));
  const text = String(prefix ?? '');
  const groups = regex.groupCount();
  return {
    start: Number(prog.start),
    op: Uint8Array.from(instructions, ({ op }) => op),
    out: Int32Array.from(instructions, ({ out }) => out),
    arg: Int32Array.from(instructions, ({ arg }) => arg),
    bounds,
    beside: Uint8Array.from({ length: bounds.length + 1 }, (_, cls) => besideOf(begin(cls))),
    ascii: Uint16Array.from({ length: 128 }, (_, rune) => classIn(bounds, rune)),
    asserts: instructions.some(({ op }) => op === Op.empty),
    groups,
    prefix: Buffer.from(text, 'utf8'),
    literal: prefixComplete && text !== '' && groups === 0,
    takes: (pc, cls) => instructions[pc]?.matchRune(begin(cls)) === true,
  };
}

const WORDS = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
] as const;

function besideOf(rune: number): number {
  if (rune === 10) return Beside.newline;
  return WORDS.some(([low, high]) => rune >= low && rune <= high) ? Beside.word : Beside.other;
}

export function classIn(bounds: Int32Array, rune: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bounds[middle] ?? 0) <= rune) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What assertions find at a place between two characters. */
export function assertionsAt(before: number, behind: number): number {
  let found = (before & Beside.word) === (behind & Beside.word) ? NO_WORD_BOUNDARY : WORD_BOUNDARY;
  if (before !== Beside.other && before !== Beside.word) found |= BEGIN_LINE;
  if ((before & Beside.edge) !== 0) found |= BEGIN_TEXT;
  if (behind !== Beside.other && behind !== Beside.word) found |= END_LINE;
  if ((behind & Beside.edge) !== 0) found |= END_TEXT;
  return found;
}
