/**
 * What is known of a value before anything runs: its type and, of lists and maps, the types of their parts. Enough to
 * say which comparisons can never hold, so that a rule made of one is refused when it is written: at run time it would
 * be a deny rule that lets everybody through.
 */
import { mayBe, type StaticType } from './value.ts';

export interface Shape {
  /** 'dyn' = not known. */
  readonly type: StaticType;
  /** Items of a list, values of a map. */
  readonly item?: Shape;
  /** Keys of a map. */
  readonly key?: Shape;
  /** Maps that always have these keys. */
  readonly fields?: Readonly<Record<string, Shape>>;
  /** It has no other keys than those. */
  readonly closed?: true;
  /** The value is of one of these (both branches of `?:`, the items of a mixed list); `type` is 'dyn' then. */
  readonly oneOf?: readonly Shape[];
}

export const DYN: Shape = { type: 'dyn' };
export const STRING: Shape = { type: 'string' };
export const INT: Shape = { type: 'int' };
export const STRINGS: Shape = { type: 'list', item: STRING };
export const STRING_MAP: Shape = { type: 'map', key: STRING, item: STRING };
/** Headers, query parameters: name → every value. */
export const MULTI_MAP: Shape = { type: 'map', key: STRING, item: STRINGS };

export const COOKIE: Shape = {
  type: 'map',
  key: STRING,
  closed: true,
  fields: {
    name: STRING,
    value: STRING,
    domain: STRING,
    path: STRING,
    expires: { type: 'timestamp' },
    max_age: { type: 'duration' },
    http_only: { type: 'bool' },
    secure: { type: 'bool' },
    same_site: STRING,
    unparsed_attributes: STRING_MAP,
  },
};

/** The shape of a field; undefined = a value of this shape never has it. */
export function shapeOfField({ type, item, fields, closed }: Shape, field: string): Shape | undefined {
  if (type !== 'map' && type !== 'dyn') return undefined;
  if (fields !== undefined && Object.hasOwn(fields, field)) return fields[field] ?? DYN;
  return closed === true ? undefined : (item ?? DYN);
}

/** The shape alone, of something that has one. */
export function shapeOf({ type, item, key, fields, closed, oneOf }: Shape): Shape {
  return {
    type,
    ...(item === undefined ? {} : { item }),
    ...(key === undefined ? {} : { key }),
    ...(fields === undefined ? {} : { fields }),
    ...(closed === undefined ? {} : { closed }),
    ...(oneOf === undefined ? {} : { oneOf }),
  };
}

/** What has one of several shapes. */
export function union(shapes: readonly Shape[]): Shape {
  const kinds: Shape[] = [];
  for (const shape of shapes.flatMap((one) => one.oneOf ?? [one])) {
    if (shape.type === 'dyn') return DYN;
    const same = kinds.findIndex((kind) => kind.type === shape.type);
    if (same === -1) kinds.push(shapeOf(shape));
    // Two lists of different things: a list.
    else if (shape.item !== kinds[same]?.item || shape.fields !== kinds[same]?.fields)
      kinds[same] = merged(kinds[same] ?? shape, shape);
  }
  const [only] = kinds;
  if (only === undefined) return DYN;
  return kinds.length === 1 ? only : { type: 'dyn', oneOf: kinds };
}

function merged(a: Shape, b: Shape): Shape {
  const item = a.item === undefined || b.item === undefined ? undefined : union([a.item, b.item]);
  return item === undefined ? { type: a.type } : { type: a.type, item };
}

const NUMBERS: ReadonlySet<StaticType> = new Set(['int', 'uint', 'double']);

/** Whether a value of one shape can ever equal one of the other. */
export function canEqual(a: Shape, b: Shape): boolean {
  if (a.oneOf !== undefined) return a.oneOf.some((one) => canEqual(one, b));
  if (b.oneOf !== undefined) return b.oneOf.some((one) => canEqual(a, one));
  if (a.type === 'dyn' || b.type === 'dyn') return true;
  if (NUMBERS.has(a.type) && NUMBERS.has(b.type)) return true;
  if (a.type !== b.type) return false;
  return canBothBe(a.item, b.item) && canBothBe(a.key, b.key);
}

function canBothBe(a: Shape | undefined, b: Shape | undefined): boolean {
  return a === undefined || b === undefined || canEqual(a, b);
}

/** Whether a value of this shape can be of the type, whichever of its kinds it has. */
export function alwaysMayBe(shape: Shape, wanted: StaticType): boolean {
  return shape.oneOf === undefined ? mayBe(shape.type, wanted) : shape.oneOf.every((one) => mayBe(one.type, wanted));
}

export function shapeName(shape: Shape): string {
  return shape.oneOf === undefined ? shape.type : shape.oneOf.map(shapeName).join(' or ');
}
