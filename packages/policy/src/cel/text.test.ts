import { parse } from '@bufbuild/cel';
import { expect, test } from 'vitest';
import { expressionText } from './text.ts';

function again(text: string): string {
  const { expr, sourceInfo } = parse(text);
  return expressionText(expr, sourceInfo?.macroCalls ?? {});
}

test.each([
  "a == 1 || !(b in [1, 2]) && m['x'].f(3) > 2.0",
  "['a'].exists(x, x == 'it\\'s') && has(a.b) ? {'k': -1} : b'x'",
  '(a || b) && c - (d - e) * f % 2 != null',
  '(a ? b : c) ? d : e ? f : g',
  'size(a.map(x, x > 1, x * 2)) == 3',
  '!a.b(c)[0].d && -x < 1.5',
])('%s', (text) => {
  expect(again(text)).toBe(text);
});
