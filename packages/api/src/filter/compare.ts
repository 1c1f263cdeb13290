import { badFilter } from './tokens.ts';
import { computed, isEmpty, literal, timeOf, type Expression, type FilterFields } from './values.ts';

const RELATIONS = ['==', '!=', '<', '<=', '>', '>='] as const;
export type Relation = (typeof RELATIONS)[number];

export function isRelation(sign: string): sign is Relation {
  return RELATIONS.some((relation) => relation === sign);
}

/** `left relation right`, its kinds checked now so that evaluation cannot fail. */
export function compare(left: Expression, relation: Relation, right: Expression, fields: FilterFields): Expression {
  const [a, b] = alike(left, right, fields);
  if (relation === '==' || relation === '!=') {
    const equal = equality(a, b);
    return computed('bool', a.at, relation === '==' ? equal : (row) => !equal(row));
  }
  if (a.kind !== b.kind || !['number', 'time', 'string'].includes(a.kind)) {
    throw badFilter(`${name(a)} and ${name(b)} have no order between them`, b.at);
  }
  return computed('bool', a.at, (row) => ordered(a.evaluate(row), relation, b.evaluate(row)));
}

/** `item in list`, the list being a literal one or a field that holds one. */
export function membership(
  item: Expression,
  list: Expression | readonly Expression[],
  fields: FilterFields,
): Expression {
  if (isLiteralList(list)) {
    if (item.kind === 'list') throw badFilter(`${name(item)} is a list itself: ask "…" in ${name(item)}`, item.at);
    const tests = list.map((candidate) => compare(item, '==', candidate, fields));
    return computed('bool', item.at, (row) => tests.some((test) => test.evaluate(row) === true));
  }
  if (list.kind !== 'list') throw badFilter(`${name(list)} is not a list`, list.at);
  if (item.kind !== 'string') throw badFilter('only a string can be in this list', item.at);
  return computed('bool', item.at, (row) => {
    const members = list.evaluate(row);
    return Array.isArray(members) && members.includes(item.evaluate(row));
  });
}

function isLiteralList(list: Expression | readonly Expression[]): list is readonly Expression[] {
  return Array.isArray(list);
}

/** Brings the two sides to one kind where the documented examples do: text beside a time is a time, ids are text. */
function alike(left: Expression, right: Expression, fields: FilterFields): [Expression, Expression] {
  return [towards(left, right, fields), towards(right, left, fields)];
}

function towards(side: Expression, other: Expression, fields: FilterFields): Expression {
  if (side.kind === 'id') return { ...side, kind: 'string' };
  if (side.kind !== 'string' || typeof side.literal !== 'string') return side;
  if (other.kind === 'time' && side.literal !== '') {
    const time = timeOf(side.literal);
    if (Number.isNaN(time)) throw badFilter(`"${side.literal}" is not an RFC 3339 time`, side.at);
    return literal('time', time, side.at);
  }
  const synonym = other.field === undefined ? undefined : fields.synonyms?.[other.field]?.[side.literal];
  return synonym === undefined ? side : literal('string', synonym, side.at);
}

function equality(a: Expression, b: Expression): (row: Parameters<Expression['evaluate']>[0]) => boolean {
  if (isEmptyLiteral(b)) return (row) => isEmpty(a.evaluate(row));
  if (isEmptyLiteral(a)) return (row) => isEmpty(b.evaluate(row));
  if (a.kind === 'list' || b.kind === 'list') {
    const [list, item] = a.kind === 'list' ? [a, b] : [b, a];
    if (item.kind !== 'string') throw badFilter(`a list cannot equal ${name(item)}`, item.at);
    return (row) => {
      const members = list.evaluate(row);
      return Array.isArray(members) && members.length === 1 && members[0] === item.evaluate(row);
    };
  }
  if (a.kind !== b.kind) throw badFilter(`${name(a)} and ${name(b)} are of different kinds`, b.at);
  return (row) => a.evaluate(row) === b.evaluate(row);
}

function isEmptyLiteral(side: Expression): boolean {
  return side.literal === null || side.literal === '';
}

function ordered(a: unknown, relation: Relation, b: unknown): boolean {
  const comparable =
    (typeof a === 'number' && typeof b === 'number') || (typeof a === 'string' && typeof b === 'string');
  if (!comparable) return false;
  if (relation === '<') return a < b;
  if (relation === '<=') return a <= b;
  return relation === '>' ? a > b : a >= b;
}

export function name(side: Expression): string {
  if (side.field !== undefined) return `obj.${side.field}`;
  return side.literal === undefined ? `this ${side.kind}` : JSON.stringify(side.literal);
}
