import * as fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';
import { Engine } from './engine.ts';
import { Search } from './search.ts';
import { characterAt, characterBefore } from './utf8.ts';

/** Places of all matches and their groups, the search stopped and taken up again after every `units`. */
function found(pattern: string, bytes: Buffer, units: number): number[][] {
  const engine = new Engine(RE2JS.compile(pattern));
  const search = new Search(bytes, engine, true);
  const matches: number[][] = [];
  for (let at = 0; at <= bytes.length;) {
    search.seek(at);
    let finding = search.advance({ left: units });
    while (finding === 'more') finding = search.advance({ left: units });
    if (finding === 'none') break;
    if (finding === 'too-much') throw new Error(finding);
    const { start, end, groups } = search;
    matches.push(groups === null ? [start, end] : [...groups]);
    at = end > at ? end : at + Math.max(1, characterAt(bytes, at, bytes.length) & 7);
  }
  return matches;
}

/** What re2js finds, which takes a pass of all instructions for each character. */
function expected(pattern: string, text: string): number[][] {
  const regex = RE2JS.compile(pattern);
  const place = (at: number): number => (at < 0 ? -1 : Buffer.byteLength(text.slice(0, at)));
  const matches: number[][] = [];
  for (let at = 0; at <= text.length;) {
    const [, places] = regex.re2().matchWithGroup(text, at, text.length, 0, regex.groupCount() + 1) as [
      boolean,
      number[] | null,
    ];
    if (places === null) break;
    matches.push(places.map(place));
    const end = places[1] ?? 0;
    at = end > at ? end : at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
  }
  return matches;
}

const leaf = fc.constantFrom(
  'a',
  'b',
  'ab',
  'é',
  '𝒳',
  '[ab]',
  '.',
  '[^a]',
  '\\w',
  '\\s',
  '\\d',
  '\\n',
  '^',
  '$',
  '\\b',
  '\\B',
  '\\A',
  '\\z',
);
const quantifier = fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{2}', '{1,3}');
const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.tuple(tie('pattern'), tie('pattern')).map(([one, other]) => one + other),
    fc.tuple(tie('pattern'), tie('pattern')).map(([one, other]) => `(?:${one}|${other})`),
    tie('pattern').map((inner) => `(${inner})`),
    fc.tuple(tie('pattern'), quantifier).map(([inner, times]) => `(?:${inner})${times}`),
    tie('pattern').map((inner) => `(?i:${inner})`),
  ),
}));
const flags = fc.constantFrom('', '(?m)', '(?s)', '(?U)');
const words = fc
  .array(fc.constantFrom('a', 'b', 'A', 'K', 'K', 'é', 'É', '𝒳', '\n', ' ', '7', '_'), { maxLength: 16 })
  .map((all) => all.join(''));

test('finds what re2js finds, wherever it is interrupted', () => {
  fc.assert(
    fc.property(flags, pattern, words, fc.integer({ min: 1, max: 40 }), (flag, source, text, units) => {
      fc.pre(compiles(flag + source));
      expect(found(flag + source, Buffer.from(text), units)).toEqual(expected(flag + source, text));
    }),
    { numRuns: 2_000 },
  );
});

function compiles(source: string): boolean {
  try {
    RE2JS.compile(source);
    return true;
  } catch {
    return false;
  }
}

describe('a match', () => {
  test.each([
    ['\\d{3}-\\d{2}-\\d{4}', 'call 123-45-6789 or 987-65-4321', ['123-45-6789', '987-65-4321']],
    ['a|ab', 'ab', ['a']],
    ['a+?', 'aaa', ['a', 'a', 'a']],
    ['a.*b|a', 'a x a b a', ['a x a b', 'a']],
    ['(?i)straße', 'STRASSE STRAßE straße', ['STRAßE', 'straße']],
    ['"content":\\s*"([^"]*)"', '{"content":\n"x"}', ['"content":\n"x"']],
    ['\\bfoo\\b', 'foo food foo', ['foo', 'foo']],
    ['\\p{L}+', 'Ωmega 12 ж', ['Ωmega', 'ж']],
    ['(?m)^.$', 'a\nbb\nc', ['a', 'c']],
  ])('of %s in %j', (source, text, texts) => {
    const bytes = Buffer.from(text);
    expect(found(source, bytes, 1_000).map(([start, end]) => bytes.toString('utf8', start, end))).toEqual(texts);
  });

  test('is found among bytes that are no UTF-8, each of which is one character', () => {
    const bytes = Buffer.from([0xff, 0x61, 0xc3, 0xa9, 0xc3, 0x62, 0xe2, 0x82]);
    expect(found('.', bytes, 3)).toEqual([
      [0, 1],
      [1, 2],
      [2, 4],
      [4, 5],
      [5, 6],
      [6, 7],
      [7, 8],
    ]);
    expect(found('é', bytes, 3)).toEqual([[2, 4]]);
  });

  test('is found where the states of its pattern are more than are kept', () => {
    const source = '[ab]*a[ab]{14}c';
    const text = `${'abbabaab'.repeat(300)}${'ab'.repeat(40)}aabbabbabaabbabac`;
    const [[start, end] = []] = found(source, Buffer.from(text), 5_000);
    expect([start, end]).toEqual([0, text.length]);
    expect(found(`(${source})`, Buffer.from(text), 5_000)).toEqual([[0, text.length, 0, text.length]]);
  });
});

test('what a search costs grows with the text, not with its square', () => {
  const cost = (length: number): number => {
    const search = new Search(Buffer.alloc(length, 'a'), new Engine(RE2JS.compile('(?:a+)+@x')), false);
    const effort = { left: 1e9 };
    search.seek(0);
    expect(search.advance(effort)).toBe('none');
    return 1e9 - effort.left;
  };
  expect(cost(200_000)).toBeLessThan(3 * cost(100_000));
});

test('what is given is not exceeded by more than a step', () => {
  const text = Buffer.from(Array.from({ length: 20_000 }, (_, at) => ((at * at) % 7 < 3 ? 'a' : 'b')).join(''));
  for (const source of ['[ab]*a[ab]{20}c', '((a)|[ab]{9}a)+', '(?:a?){40}a{40}c', '(a|b|ab)*?c']) {
    const search = new Search(text, new Engine(RE2JS.compile(source)), true);
    search.seek(0);
    for (let finding = 'more'; finding === 'more';) {
      const effort = { left: 5_000 };
      finding = search.advance(effort);
      expect(effort.left).toBeGreaterThan(-5_000);
    }
  }
});

test('any bytes have one reading, from both ends', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80)), {
        maxLength: 30,
      }),
      (numbers) => {
        const bytes = Buffer.from(numbers);
        const forward: number[] = [];
        for (let at = 0; at < bytes.length; at += (forward.at(-1) ?? 1) & 7)
          forward.push(characterAt(bytes, at, bytes.length));
        const backward: number[] = [];
        for (let at = bytes.length; at > 0; at -= (backward.at(-1) ?? 1) & 7) backward.push(characterBefore(bytes, at));
        expect(backward.toReversed()).toEqual(forward);
        const text = forward.map((one) => String.fromCodePoint(one >>> 3)).join('');
        const valid = !text.includes('\uFFFD');
        if (valid) expect(text).toBe(bytes.toString('utf8'));
      },
    ),
  );
});
