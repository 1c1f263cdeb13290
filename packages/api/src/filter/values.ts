import type { WireObject } from '../wire/values.ts';

/** What a filter can ask of a field. `ref` is an {id, uri}; comparing it compares its id. */
type FieldKind = 'string' | 'id' | 'number' | 'bool' | 'time' | 'list' | 'ref';

/** The fields of one resource that filters may use, by wire name. */
export interface FilterFields {
  readonly kinds: Readonly<Record<string, FieldKind>>;
  /** Literals that mean another one for a field, e.g. type "agent" → "ephemeral". */
  readonly synonyms?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Names that mean another field, e.g. binding → bindings. */
  readonly aliases?: Readonly<Record<string, string>>;
}

export interface Row {
  readonly wire: WireObject;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** A compiled piece of a filter: its static kind and how to get its value from a row. */
export interface Expression {
  readonly kind: Exclude<FieldKind, 'ref'> | 'null' | 'duration';
  readonly at: number;
  /** Set for literals. */
  readonly literal: string | number | boolean | null | undefined;
  /** Set for `obj.…`: the wire name, for messages and synonyms. */
  readonly field: string | undefined;
  evaluate(row: Row): unknown;
}

export function literal(kind: Expression['kind'], value: string | number | boolean | null, at: number): Expression {
  return { kind, at, literal: value, field: undefined, evaluate: () => value };
}

export function computed(kind: Expression['kind'], at: number, evaluate: (row: Row) => unknown): Expression {
  return { kind, at, literal: undefined, field: undefined, evaluate };
}

/** Absent, null, "" and [] are all "empty": `== null` and `== ""` match each (the documented way to ask). */
export function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** RFC 3339, or a date alone; NaN when it is neither. */
export function timeOf(text: unknown): number {
  if (typeof text !== 'string') return Number.NaN;
  const date = /^\d{4}-\d{2}-\d{2}/.exec(text)?.[0];
  if (date === undefined) return Number.NaN;
  const rest = text.slice(date.length);
  if (rest === '' || rest === 'Z') return Date.parse(`${date}T00:00:00Z`);
  if (!/^[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/.test(rest)) return Number.NaN;
  return Date.parse(text);
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** "7d", "24h", "1h30m" in milliseconds; NaN when it is no duration. */
export function durationOf(text: string): number {
  const one = /(\d+(?:\.\d+)?)(ms|[smhdw])/y;
  let total = 0;
  let read = 0;
  while (read < text.length) {
    const [whole, amount, unit] = one.exec(text) ?? [];
    if (whole === undefined) return Number.NaN;
    read += whole.length;
    total += Number(amount) * (UNIT_MS[unit ?? ''] ?? Number.NaN);
  }
  return read === 0 ? Number.NaN : total;
}
