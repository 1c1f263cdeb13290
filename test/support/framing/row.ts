/** One raw request with what has to become of it. `{H}` stands for the host, `{T}` for the row's token. */
export interface RequestRow {
  readonly group: string;
  readonly name: string;
  /** latin1 */
  readonly raw: string;
  readonly verdict: Verdict;
  /** Not for upstreams that speak HTTP/2, for the reason beside the row. */
  readonly http1Only: boolean;
}

export type Verdict =
  /** Answered with this status and closed; `begun`: the fault comes after a head that was in order. */
  | { readonly kind: 'refused'; readonly status: number; readonly begun: boolean }
  /** Each of `seen` reaches the origin exactly once; `last`: the connection takes no further request. */
  | { readonly kind: 'accepted'; readonly seen: readonly SeenRequest[]; readonly last: boolean }
  /** Refused by routing, with the connection kept: nothing reaches the origin. */
  | { readonly kind: 'nowhere'; readonly status: number };

export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  readonly body: string;
  /** Fields that must be there with this value, or (null) must not be there. */
  readonly fields: Readonly<Record<string, string | null>>;
}

export const refused = (status: number): Verdict => ({ kind: 'refused', status, begun: false });
export const brokenOff = (status: number): Verdict => ({ kind: 'refused', status, begun: true });
export const nowhere = (status: number): Verdict => ({ kind: 'nowhere', status });
export const accepted = (...seen: readonly SeenRequest[]): Verdict => ({ kind: 'accepted', seen, last: false });
export const acceptedLast = (...seen: readonly SeenRequest[]): Verdict => ({ kind: 'accepted', seen, last: true });

export function saw(
  method = 'GET',
  body = '',
  fields: Readonly<Record<string, string | null>> = {},
  target = '/{T}',
): SeenRequest {
  return { method, target, body, fields };
}

/** Name, bytes, verdict, upstreams. */
export type ShortRow = readonly [name: string, raw: string, verdict: Verdict, only?: 'http1-only'];

export function group(name: string, rows: readonly ShortRow[]): RequestRow[] {
  return rows.map(([row, raw, verdict, only]) => {
    return { group: name, name: row, raw, verdict, http1Only: only === 'http1-only' };
  });
}

/** A GET with more field lines (each ending in CRLF). */
export const get = (lines = '', target = '/{T}'): string => `GET ${target} HTTP/1.1\r\nHost: {H}\r\n${lines}\r\n`;
export const post = (lines: string, body = 'hello'): string => `POST /{T} HTTP/1.1\r\nHost: {H}\r\n${lines}\r\n${body}`;
export const chunked = (body: string): string => post('Transfer-Encoding: chunked\r\n', body);
/** A request line with a Host behind it. */
export const line = (first: string): string => `${first}\r\nHost: {H}\r\n\r\n`;
