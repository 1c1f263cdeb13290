/** What a hostile upstream answers, and what may become of it. */
export interface ResponseRow {
  readonly group: string;
  readonly name: string;
  readonly method: 'GET' | 'HEAD' | 'POST';
  /** latin1, each sent in a segment of its own. */
  readonly pieces: readonly string[];
  readonly ending: 'keep' | 'end' | 'reset';
  readonly verdict: ResponseVerdict;
  /** How often the origin may see the request: lost before any answer, safe ones are tried twice. */
  readonly tries: number;
  /** The next request may be on its way into a connection that is being closed, and is then sent again. */
  readonly races: boolean;
}

export type ResponseVerdict =
  /** An error page of the edge's own. */
  | { readonly kind: 'page'; readonly code: 'ERR_NGROK_3004' | 'ERR_NGROK_90008' }
  /** Begins with this status and is cut so that nobody takes it for complete. */
  | { readonly kind: 'cut'; readonly status: number }
  | { readonly kind: 'passes'; readonly status: number; readonly body: string };

export const bad: ResponseVerdict = { kind: 'page', code: 'ERR_NGROK_3004' };
export const tooLarge: ResponseVerdict = { kind: 'page', code: 'ERR_NGROK_90008' };
export const cut = (status = 200): ResponseVerdict => ({ kind: 'cut', status });
export const passes = (body = 'hello', status = 200): ResponseVerdict => ({ kind: 'passes', status, body });

export interface RowOptions {
  readonly method?: ResponseRow['method'];
  readonly ending?: ResponseRow['ending'];
  readonly tries?: number;
  readonly races?: boolean;
}

/** Name, bytes (or several segments), verdict, the rest. */
export type ShortResponseRow = readonly [
  name: string,
  raw: string | readonly string[],
  verdict: ResponseVerdict,
  options?: RowOptions,
];

export function responses(group: string, rows: readonly ShortResponseRow[]): ResponseRow[] {
  return rows.map(([name, raw, verdict, options = {}]) => ({
    group,
    name,
    pieces: typeof raw === 'string' ? [raw] : raw,
    verdict,
    method: options.method ?? 'GET',
    ending: options.ending ?? 'keep',
    tries: options.tries ?? 1,
    races: options.races ?? false,
  }));
}
