/** What a resource looks like on the wire. Members that are undefined are left out. */
export type WireObject = Readonly<Record<string, unknown>>;

/** Empty optional texts are left out, not sent as "" (api.md §3). */
export function omitEmpty(text: string): string | undefined {
  return text === '' ? undefined : text;
}
