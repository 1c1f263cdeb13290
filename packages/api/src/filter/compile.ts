import { quoted } from '../wire/ids.ts';
import type { WireObject } from '../wire/values.ts';
import { compare, isRelation, membership, name } from './compare.ts';
import { badFilter, tokenise, type Token } from './tokens.ts';
import { computed, durationOf, isEmpty, literal, timeOf, type Expression, type FilterFields } from './values.ts';

export type Filter = (row: WireObject, now: number) => boolean;

const MAX_DEPTH = 32;
const TEXT_TESTS: Readonly<Record<string, (text: string, part: string) => boolean>> = {
  startsWith: (text, part) => text.startsWith(part),
  contains: (text, part) => text.includes(part),
  endsWith: (text, part) => text.endsWith(part),
};

/**
 * Compiles the CEL subset of list filters (api.md §3) to closures. Everything is checked here, against the fields of
 * the resource: a filter that compiles cannot fail on a row. Throws 250.
 */
export function compileFilter(source: string, fields: FilterFields): Filter {
  const parser = createParser(tokenise(source), fields);
  const expression = parser.whole();
  return (wire, now) => expression.evaluate({ wire, now }) === true;
}

function createParser(tokens: readonly Token[], fields: FilterFields): { whole(): Expression } {
  let next = 0;
  let depth = 0;
  const end: Token = { type: 'end', text: '', at: 0 };
  const peek = (): Token => tokens[next] ?? end;
  const take = (): Token => {
    const token = peek();
    if (token.type !== 'end') next += 1;
    return token;
  };
  const isSign = (text: string): boolean => peek().type === 'sign' && peek().text === text;
  const accept = (text: string): boolean => {
    if (!isSign(text)) return false;
    next += 1;
    return true;
  };
  const expect = (text: string): void => {
    if (!accept(text)) throw badFilter(`"${text}" is missing`, peek().at);
  };

  const whole = (): Expression => {
    const expression = either();
    if (peek().type !== 'end') throw badFilter(`"${quoted(peek().text, 20)}" is not expected here`, peek().at);
    return truth(expression);
  };

  const either = (): Expression => {
    depth += 1;
    if (depth > MAX_DEPTH) throw badFilter(`it nests deeper than ${MAX_DEPTH} levels`, peek().at);
    let left = both();
    while (accept('||')) {
      const a = truth(left);
      const b = truth(both());
      left = computed('bool', a.at, (row) => a.evaluate(row) === true || b.evaluate(row) === true);
    }
    depth -= 1;
    return left;
  };

  const both = (): Expression => {
    let left = relation();
    while (accept('&&')) {
      const a = truth(left);
      const b = truth(relation());
      left = computed('bool', a.at, (row) => a.evaluate(row) === true && b.evaluate(row) === true);
    }
    return left;
  };

  const relation = (): Expression => {
    const left = unary();
    const token = peek();
    if (token.type === 'sign' && isRelation(token.text)) {
      next += 1;
      return compare(left, token.text, unary(), fields);
    }
    if (token.type === 'name' && token.text === 'in') {
      next += 1;
      return membership(left, isSign('[') ? listLiteral() : unary(), fields);
    }
    return left;
  };

  const listLiteral = (): Expression[] => {
    expect('[');
    const items: Expression[] = [];
    while (!accept(']')) {
      if (items.length > 0) expect(',');
      items.push(unary());
    }
    return items;
  };

  const unary = (): Expression => {
    const { at } = peek();
    let negations = 0;
    while (accept('!')) negations += 1;
    const operand = member();
    if (negations === 0) return operand;
    const side = truth(operand);
    return negations % 2 === 0 ? side : computed('bool', at, (row) => side.evaluate(row) !== true);
  };

  const member = (): Expression => {
    let target = primary();
    while (accept('.')) {
      const method = take();
      if (method.type !== 'name' || !isSign('(')) throw badFilter('a call such as .contains("…") is needed', method.at);
      target = call(target, method.text, method.at, argument());
    }
    return target;
  };

  const argument = (): Expression | null => {
    expect('(');
    if (accept(')')) return null;
    const value = either();
    expect(')');
    return value;
  };

  const primary = (): Expression => {
    const token = take();
    if (token.type === 'string') return literal('string', token.text, token.at);
    if (token.type === 'number') return literal('number', token.value, token.at);
    if (token.type === 'sign' && token.text === '(') {
      const inner = either();
      expect(')');
      return inner;
    }
    if (token.type !== 'name') throw badFilter('a value is missing', token.at);
    if (token.text === 'true' || token.text === 'false') return literal('bool', token.text === 'true', token.at);
    if (token.text === 'null') return literal('null', null, token.at);
    if (token.text === 'obj') return fieldOf(token.at);
    if (token.text === 'timestamp' && isSign('(')) return timestamp(token.at);
    if (token.text === 'size' && isSign('(')) return sizeOf(argument(), token.at);
    throw badFilter(`"${quoted(token.text, 40)}" is not known: fields are written as obj.<field>`, token.at);
  };

  const fieldOf = (at: number): Expression => {
    expect('.');
    const first = take();
    const wireName = fields.aliases?.[first.text] ?? first.text;
    const kind = first.type === 'name' && Object.hasOwn(fields.kinds, wireName) ? fields.kinds[wireName] : undefined;
    if (kind === undefined) {
      const known = Object.keys(fields.kinds).join(', ');
      throw badFilter(`there is no field obj.${quoted(first.text, 40)} here; known fields: ${known}`, first.at);
    }
    if (kind !== 'ref') {
      const read =
        kind === 'time' ? (row: WireObject) => timeOf(row[wireName]) : (row: WireObject): unknown => row[wireName];
      return { kind, at, literal: undefined, field: wireName, evaluate: ({ wire }) => read(wire) };
    }
    const part = isSign('.') ? refPart() : 'id';
    return {
      kind: part === 'id' ? 'id' : 'string',
      at,
      literal: undefined,
      field: `${wireName}.${part}`,
      evaluate: ({ wire }) => refMember(wire[wireName], part),
    };
  };

  const refPart = (): 'id' | 'uri' => {
    expect('.');
    const token = take();
    if (token.text !== 'id' && token.text !== 'uri') throw badFilter('a reference has only .id and .uri', token.at);
    return token.text;
  };

  const timestamp = (at: number): Expression => {
    const [, first, dot, second] = tokens.slice(next, next + 4);
    if (first?.text === 'time' && dot?.text === '.' && second?.text === 'now') {
      next += 4;
      expect(')');
      return computed('time', at, (row) => row.now);
    }
    const value = argument();
    if (value?.kind === 'time') return value;
    const time = timeOf(value?.literal);
    if (Number.isNaN(time)) throw badFilter('timestamp() takes an RFC 3339 time in quotes, or time.now', at);
    return literal('time', time, at);
  };

  return { whole };
}

function truth(side: Expression): Expression {
  if (side.kind !== 'bool') throw badFilter(`${name(side)} is neither true nor false`, side.at);
  return side;
}

function call(target: Expression, method: string, at: number, argument: Expression | null): Expression {
  if (method === 'size' && argument === null) return sizeOf(target, at);
  if (method === 'add' || method === 'subtract') {
    const duration = typeof argument?.literal === 'string' ? durationOf(argument.literal) : Number.NaN;
    if (target.kind !== 'time') throw badFilter(`.${method}() belongs behind a timestamp()`, at);
    if (Number.isNaN(duration)) throw badFilter(`.${method}() takes a duration such as "7d" or "24h"`, at);
    const delta = method === 'add' ? duration : -duration;
    return computed('time', target.at, (row) => Number(target.evaluate(row)) + delta);
  }
  const test = Object.hasOwn(TEXT_TESTS, method) ? TEXT_TESTS[method] : undefined;
  if (test === undefined) throw badFilter(`the function ${quoted(method, 40)}() is not known`, at);
  if (target.kind === 'id') throw badFilter(`${name(target)} holds ids: compare them with ==, not by their parts`, at);
  if (target.kind !== 'string' || argument?.kind !== 'string') throw badFilter(`.${method}() compares two strings`, at);
  return computed('bool', target.at, (row) => {
    const text = target.evaluate(row);
    const part = argument.evaluate(row);
    return test(isEmpty(text) ? '' : String(text), isEmpty(part) ? '' : String(part));
  });
}

function sizeOf(target: Expression | null, at: number): Expression {
  if (target === null || (target.kind !== 'string' && target.kind !== 'list' && target.kind !== 'id')) {
    throw badFilter('size() takes a string or a list', at);
  }
  return computed('number', at, (row) => {
    const value = target.evaluate(row);
    if (Array.isArray(value)) return value.length;
    return typeof value === 'string' ? Array.from(value).length : 0;
  });
}

function refMember(ref: unknown, part: 'id' | 'uri'): unknown {
  return typeof ref === 'object' && ref !== null ? Reflect.get(ref, part) : undefined;
}
