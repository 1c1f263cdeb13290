import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { literal } from '../merge.ts';
import { hasExpression, scanTemplate, TemplateProblem } from './scan.ts';

describe('scanTemplate', () => {
  it.each([
    ['plain', ['plain']],
    ['', []],
    ['${a}', [{ expression: 'a', offset: 2 }]],
    ['x${a}y${b}', ['x', { expression: 'a', offset: 3 }, 'y', { expression: 'b', offset: 8 }]],
    ["${{'a': '}'}}", [{ expression: "{'a': '}'}", offset: 2 }]],
    ['${"}"}', [{ expression: '"}"', offset: 2 }]],
    ["${'''it's }'''}", [{ expression: "'''it's }'''", offset: 2 }]],
    ["${'\\'}'}", [{ expression: "'\\'}'", offset: 2 }]],
    ["${r'\\'}", [{ expression: "r'\\'", offset: 2 }]],
    ['$${a}', ['${a}']],
    ['$', ['$']],
    ['$a {b}', ['$a {b}']],
  ])('%s', (text, parts) => {
    expect(scanTemplate(text)).toEqual(parts);
  });

  it.each(['${', '${a', "${'a}", '${}', '${ }', '${{a}'])('refuses %s', (text) => {
    expect(() => scanTemplate(text)).toThrow(TemplateProblem);
  });

  it('gives back a literal as it was, whatever is in it', () => {
    const hard = fc.array(fc.constantFrom('$', '{', '}', "'", '"', '\\', 'a', '$${', '${'), { maxLength: 30 });
    fc.assert(
      fc.property(hard, (pieces) => {
        const text = pieces.join('');
        expect(scanTemplate(literal(text))).toEqual(text === '' ? [] : [text]);
        expect(hasExpression(literal(text))).toBe(false);
      }),
    );
  });

  it('loses no character between the parts', () => {
    const text = fc.array(fc.oneof(fc.constantFrom('${a}', '$', '}', "'", 'x'), fc.string({ maxLength: 3 })), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(text, (pieces) => {
        const source = pieces.join('');
        try {
          const parts = scanTemplate(source);
          const again = parts
            .map((part) => (typeof part === 'string' ? literal(part) : `\${${part.expression}}`))
            .join('');
          expect(scanTemplate(again).map(withoutOffset)).toEqual(parts.map(withoutOffset));
        } catch (error) {
          expect(error).toBeInstanceOf(TemplateProblem);
        }
      }),
    );
  });
});

function withoutOffset(part: string | { expression: string }): string {
  return typeof part === 'string' ? part : `expression ${part.expression}`;
}
