/** One value that rules look at. */
export interface Field {
  /** As rules show it: `ARGS:q`. */
  readonly name: string;
  /** By which rules choose it, in lower case. */
  readonly key: string;
  readonly value: string;
}

export const NO_FIELDS: readonly Field[] = Object.freeze([]);

export function fieldsOf(collection: string, entries: Iterable<readonly [string, string]>): Field[] {
  const fields: Field[] = [];
  for (const [name, value] of entries) fields.push({ name: `${collection}:${name}`, key: name.toLowerCase(), value });
  return fields;
}

/** The names alone, as values. */
export function namesOf(collection: string, entries: Iterable<readonly [string, string]>): Field[] {
  const fields: Field[] = [];
  for (const [name] of entries) fields.push({ name: `${collection}:${name}`, key: name.toLowerCase(), value: name });
  return fields;
}
