/**
 * What the keys of a configuration file may hold. A kind reads a node of the YAML document, so that everything wrong is
 * told with its line and column.
 */
import { isAlias, isMap, isScalar, isSeq, type Document, type Node } from 'yaml';
import { nearestOf } from './nearest.ts';

export interface Trouble {
  /** Where in the text. */
  readonly offset: number;
  readonly path: Path;
  readonly message: string;
  /** There is no such key: without it the rest may be right. */
  readonly isUnknownKey?: true;
}

export interface Reading {
  readonly document: Document;
  readonly troubles: Trouble[];
}

/** Keys and places in lists, from the root. */
type Path = readonly (string | number)[];

/** @returns undefined when it has told a trouble */
export type Kind<T> = (node: Node, path: Path, reading: Reading) => T | undefined;
type ValueOf<K> = K extends Kind<infer T> ? T : never;

export const text: Kind<string> = (node, path, reading) => {
  // Numbers as they are written: an address may be a port.
  if (isScalar(node) && node.value !== null && typeof node.value !== 'object')
    return node.source ?? JSON.stringify(node.value);
  return trouble(reading, node, path, 'is a text');
};

export const flag: Kind<boolean> = (node, path, reading) => {
  if (isScalar(node) && typeof node.value === 'boolean') return node.value;
  if (isScalar(node) && (node.value === 'true' || node.value === 'false')) return node.value === 'true';
  return trouble(reading, node, path, 'is true or false');
};

export const number: Kind<number> = (node, path, reading) => {
  const value = isScalar(node) ? Number(node.value) : Number.NaN;
  return Number.isFinite(value) ? value : trouble(reading, node, path, 'is a number');
};

const UNITS: readonly (readonly [unit: string, milliseconds: number])[] = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];

/** `10s`, `1m30s`, `500ms` → milliseconds. */
export const duration: Kind<number> = (node, path, reading) => {
  const written = isScalar(node) ? String(node.value) : '';
  let sum = 0;
  let rest = written.slice(0, 64);
  while (rest !== '') {
    const [whole = '', count = '', word = ''] = /^(\d{1,9})(ms|s|m|h)/.exec(rest) ?? [];
    const unit = UNITS.find(([name]) => name === word);
    if (unit === undefined) break;
    sum += Number(count) * unit[1];
    rest = rest.slice(whole.length);
  }
  return written === '' || rest !== '' ? trouble(reading, node, path, 'is a duration as 10s or 1m30s') : sum;
};

export function choice<const T extends string>(...allowed: readonly T[]): Kind<T> {
  return (node, path, reading) => {
    const written = isScalar(node) ? String(node.value) : '';
    const found = allowed.find((one) => one === written);
    return found ?? trouble(reading, node, path, `is one of ${allowed.join(', ')}`);
  };
}

/** A list, or one entry alone. */
export function list<T>(kind: Kind<T>): Kind<readonly T[]> {
  return (node, path, reading) => {
    if (!isSeq<Node>(node)) {
      const only = kind(node, path, reading);
      return only === undefined ? undefined : [only];
    }
    return node.items.flatMap((item, at) => {
      const value = kind(meant(item, reading), [...path, at], reading);
      return value === undefined ? [] : [value];
    });
  };
}

/** Any YAML below; a traffic policy is read by the server. */
export const anything: Kind<unknown> = (node, _path, { document }) => ({
  value: node.toJS(document, { maxAliasCount: 100 }) as unknown,
});

export function mapOf<T>(kind: Kind<T>): Kind<ReadonlyMap<string, T>> {
  return (node, path, reading) => {
    if (!isMap<Node, Node | null>(node)) return trouble(reading, node, path, 'is a map of names');
    const entries = new Map<string, T>();
    for (const { key, value } of node.items) {
      const name = keyOf(key);
      const read = value === null ? undefined : kind(meant(value, reading), [...path, name], reading);
      if (read !== undefined) entries.set(name, read);
    }
    return entries;
  };
}

type Fields = Readonly<Record<string, Kind<unknown>>>;
type ObjectOf<F extends Fields> = { readonly [K in keyof F]?: ValueOf<F[K]> };

/** Keys that are not named are troubles; a key without a value counts as not there. */
export function object<const F extends Fields>(fields: F): Kind<ObjectOf<F>> {
  return (node, path, reading) => {
    if (!isMap<Node, Node | null>(node)) return trouble(reading, node, path, 'is a map of keys');
    const values: Record<string, unknown> = {};
    for (const { key, value } of node.items) {
      const name = keyOf(key);
      const kind = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (kind === undefined) {
        const near = nearestOf(name, Object.keys(fields));
        const place = path.length === 0 ? '' : ` in ${shown(path)}`;
        reading.troubles.push({
          offset: key.range?.[0] ?? 0,
          path: [...path, name],
          isUnknownKey: true,
          message: `there is no key "${name}"${place}${near === null ? '' : `; did you mean "${near}"?`}`,
        });
      } else if (value !== null && !(isScalar(value) && value.value === null)) {
        const read = kind(meant(value, reading), [...path, name], reading);
        if (read !== undefined) values[name] = read;
      }
    }
    // Each value was read by the kind of its key.
    // oxlint-disable-next-line no-unsafe-type-assertion
    return values as ObjectOf<F>;
  };
}

function trouble(reading: Reading, node: Node, path: Path, what: string): undefined {
  const message = `${path.length === 0 ? 'this' : shown(path)} ${what}`;
  reading.troubles.push({ offset: node.range?.[0] ?? 0, path, message });
}

/** `endpoints[0].upstream` */
function shown(path: Path): string {
  return path.map((step, at) => (typeof step === 'number' ? `[${step}]` : at === 0 ? step : `.${step}`)).join('');
}

/** `*name` stands for what `&name` marks. */
function meant(node: Node, { document }: Reading): Node {
  return isAlias(node) ? (node.resolve(document) ?? node) : node;
}

const keyOf = (key: Node): string => (isScalar(key) ? String(key.value) : '');
