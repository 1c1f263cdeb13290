/** What a resource looks like on the wire. Members that are undefined are left out. */
export type WireObject = Readonly<Record<string, unknown>>;
