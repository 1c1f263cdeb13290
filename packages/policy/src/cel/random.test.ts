/** Expressions nobody would write: whatever compiles must give what the CEL library gives. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeContext } from '../testing/context.ts';
import { evaluateByLibrary } from '../testing/oracle.ts';
import { compileExpression } from './compile.ts';
import { CelProblem } from './failures.ts';
import { equal } from './operations.ts';
import type { Scope } from './scope.ts';
import { BUDGET } from './work.ts';
import { Failure, kindOf, type Result } from './value.ts';
import { RequestParts } from './variables/request-parts.ts';

const FACTS = {
  target: '/a/b?x=1',
  headers: [
    ['x-a', '1'],
    ['X-A', '2'],
  ],
  status: 404,
} as const;

function makeScope(): Scope {
  return {
    context: makeContext(FACTS),
    vars: new Map(),
    locals: [],
    budget: BUDGET,
    parts: new RequestParts(),
  };
}

const PHASE = { phase: 'on_http_response', usesResult: () => {} } as const;

const { expression } = fc.letrec<{ expression: string }>((tie) => {
  const one = tie('expression');
  const leaf = fc.constantFrom(
    '0',
    '1',
    '-2',
    '3u',
    '1.5',
    '"a"',
    '"ab"',
    '"1"',
    'true',
    'false',
    'null',
    '[]',
    '[1, 2]',
    '["a"]',
    '{"a": 1}',
    'req.method',
    'req.url.path',
    'req.headers["x-a"]',
    'req.headers["none"]',
    'res.status_code',
    'req.headers',
  );
  const operator = fc.constantFrom('+', '-', '*', '/', '%', '==', '!=', '<', '<=', '>', '>=', '&&', '||', 'in');
  return {
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.tuple(one, operator, one).map(([a, o, b]) => `(${a} ${o} ${b})`),
      one.map((a) => `!(${a})`),
      fc.tuple(one, one, one).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      // Keys of other kinds fail here; the library takes `[1][false]` for an index.
      fc.tuple(one, fc.constantFrom('0', '1', '-2', '1.0', '"a"', '"x-a"')).map(([a, b]) => `${a}[${b}]`),
      fc.tuple(one, fc.constantFrom('startsWith', 'contains', 'split')).map(([a, f]) => `${a}.${f}("a")`),
      one.map((a) => `size(${a})`),
      fc
        .tuple(one, fc.constantFrom('all', 'exists', 'exists_one', 'filter', 'map'), one)
        .map(([a, f, b]) => `${a}.${f}(v, v == ${b})`),
      fc.tuple(one, one).map(([a, b]) => `[${a}, ${b}]`),
    ),
  };
});

function show(result: Result): string {
  return result instanceof Failure ? 'failure' : kindOf(result);
}

describe('random expressions', () => {
  it('agree with the library', () => {
    let compared = 0;
    fc.assert(
      fc.property(expression, (text) => {
        let ours: Result;
        try {
          ours = compileExpression(text, PHASE).eval(makeScope());
        } catch (error) {
          expect(error).toBeInstanceOf(CelProblem);
          return;
        }
        const theirs = evaluateByLibrary(text, makeScope());
        compared++;
        expect([text, show(ours)]).toEqual([text, show(theirs)]);
        if (!(ours instanceof Failure) && !(theirs instanceof Failure) && !Number.isNaN(ours)) {
          expect([text, equal(ours, theirs, makeScope())]).toEqual([text, true]);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(compared).toBeGreaterThan(50);
  });

  it('never break the compiler, whatever the text', () => {
    const token = fc.constantFrom(
      ...`( ) [ ] { } . , ? : ! - + && || == < "a" ' 1 u .5 x req res in has all r" \\ \${ 0x // \n`.split(' '),
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 40 }), (tokens) => {
        try {
          compileExpression(tokens.join(''), PHASE).eval(makeScope());
        } catch (error) {
          expect(error).toBeInstanceOf(CelProblem);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('values', () => {
  it.each([
    ['"aaaaaaaa"' + '.replace("a", "aaaaaaaa")'.repeat(12), 'longer than 1 MiB'],
    ['"aaaaaaaa"' + '.encodeBase64()'.repeat(100), 'longer than 1 MiB'],
    [
      'cel.bind(a, [1, 2], '.repeat(1) +
        Array.from({ length: 20 }, () => 'cel.bind(a, a + a, ').join('') +
        'a'.padEnd(22, ')'),
      'longer than',
    ],
    ['lists.range(1000).map(i, "x".replace("x", "' + 'y'.repeat(2000) + '")).join("")', 'longer than 1 MiB'],
    ['lists.range(5000).distinct()', 'distinct\\(\\) compares'],
  ])('stay small: %.30s', (text, words) => {
    const result = compileExpression(text, PHASE).eval(makeScope());
    // Which bound is met first is not what matters.
    expect(result instanceof Failure ? result.message : 'no failure').toMatch(new RegExp(`${words}|more steps`));
  });
});
