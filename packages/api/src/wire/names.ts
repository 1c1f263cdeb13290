/**
 * Wire names are snake_case, the rules' names are camelCase. Bodies cross here once, one level deep, and lose their
 * undefined members on the way, so that "absent" has one form.
 */
type CamelName<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelName<Tail>>}`
  : S;

export type Camelised<T> = {
  readonly [K in keyof T as K extends string ? CamelName<K> : never]: Exclude<T[K], undefined>;
};

export function camelised<T extends object>(body: T): Camelised<T> {
  const members: [string, unknown][] = [];
  for (const [name, value] of Object.entries(body)) {
    if (value !== undefined) members.push([camelName(name), value]);
  }
  // The mapped type says what the loop does; no checker can see that.
  // oxlint-disable-next-line no-unsafe-type-assertion
  return Object.fromEntries(members) as Camelised<T>;
}

function camelName(name: string): string {
  return name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}
