const SUFFIX = /^[0-9A-Za-z]{27}$/;

/** Whether `id` is one of the prefixes, an underscore and a KSUID (api.md §3). */
export function isIdOf(prefixes: readonly string[], id: string): boolean {
  const at = id.lastIndexOf('_');
  return at > 0 && prefixes.includes(id.slice(0, at)) && SUFFIX.test(id.slice(at + 1));
}

/** Bot users are served under two paths with two prefixes over one store (api.md §6); the store knows `bot_`. */
export function storedUserId(id: string): string {
  return id.startsWith('service_') ? `bot_${id.slice('service_'.length)}` : id;
}

/** The other way round, for answers under the newer name. */
export function serviceUserId(id: string): string {
  return id.startsWith('bot_') ? `service_${id.slice('bot_'.length)}` : id;
}

/** Untrusted text inside a message: bounded, and without control characters. */
export function quoted(text: string, limit = 80): string {
  const clean = text.replace(/\p{Cc}/gu, '?');
  return clean.length > limit ? `${clean.slice(0, limit)}…` : clean;
}
