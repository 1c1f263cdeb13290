/** A reference to another resource as the wire has it (api.md §3). */
interface Ref {
  readonly id: string;
  /** Absolute; '' for a human user, who is no resource of this API. */
  readonly uri: string;
}

/** Absolute addresses of resources, from the base URL that clients reach us by (never from a Host header). */
export interface Urls {
  at(path: string): string;
  /** `collection` begins with a slash, as in `/reserved_domains`. */
  ref(collection: string, id: string): Ref;
  /** The ref of a `usr_…` or `bot_…` id. */
  owner(id: string): Ref;
  /** As {@link ref}, and undefined (left out on the wire) when there is no id. */
  maybeRef(collection: string, id: string): Ref | undefined;
}

export function createUrls(publicBaseUrl: () => string): Urls {
  const at = (path: string): string => {
    let base = publicBaseUrl();
    while (base.endsWith('/')) base = base.slice(0, -1);
    return base + path;
  };
  const ref = (collection: string, id: string): Ref => ({ id, uri: at(`${collection}/${id}`) });
  return {
    at,
    ref,
    owner: (id) => (id.startsWith('bot_') ? ref('/bot_users', id) : { id, uri: '' }),
    maybeRef: (collection, id) => (id === '' ? undefined : ref(collection, id)),
  };
}
