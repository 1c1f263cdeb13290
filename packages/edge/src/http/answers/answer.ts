/** Answers that are made here: what a policy says, and pages of ours. */
import { STATUS_CODES } from 'node:http';
import type { PosternError } from '@postern/errors';
import type { Outcome } from '@postern/policy';
import { isToken, type RawFields } from '@postern/protocol';
import type { Exchange } from '../exchange/exchange.ts';
import { valueOf, wireValue } from '../exchange/fields.ts';
import { ResponseDraft } from '../exchange/message.ts';
import { acceptOf, deniedPage, renderPage } from './pages.ts';

/** Puts a whole answer in the place of what an upstream would say. */
export function answerWith(
  exchange: Exchange,
  status: number,
  headers: readonly (readonly [string, string])[],
  body: Buffer,
): void {
  const fields: RawFields = [];
  for (const [name, value] of headers) if (isToken(name)) fields.push(name, wireValue(value));
  const bodiless = status === 204 || status === 304;
  if (!bodiless && valueOf(fields, 'content-length') === undefined) fields.push('Content-Length', String(body.length));
  put(exchange, status, fields, bodiless ? Buffer.alloc(0) : body);
}

/** What a rule answers, or its error; a browser that is denied is told so in words. */
export function answerAsTold(exchange: Exchange, outcome: Extract<Outcome, { kind: 'respond' | 'error' }>): void {
  if (outcome.kind === 'error') return answerWithPage(exchange, outcome.error, outcome.headers);
  const { status, headers, body, denied = false } = outcome;
  const page = denied ? deniedPage(status, exchange.request.authority, acceptOf(exchange.request.fields)) : null;
  if (page === null) answerWith(exchange, status, headers, body);
  else answerWith(exchange, status, [...headers, ...DENIED_FIELDS], page);
}

const DENIED_FIELDS = [
  ['Content-Type', 'text/html; charset=utf-8'],
  ['Cache-Control', 'no-store'],
  ['X-Content-Type-Options', 'nosniff'],
] as const;

export function answerWithPage(
  exchange: Exchange,
  error: PosternError,
  headers: readonly (readonly [string, string])[] = [],
  status: number = error.status,
): void {
  const page = renderPage(error, acceptOf(exchange.request.fields), headers, status);
  exchange.errorCode = error.code;
  put(exchange, page.status, page.fields, page.body);
}

function put(exchange: Exchange, status: number, fields: RawFields, body: Buffer): void {
  if (valueOf(fields, 'date') === undefined) fields.push('Date', httpDate(exchange.requester.now()));
  const framing = { kind: 'length', length: body.length } as const;
  const draft = new ResponseDraft({ status, reason: STATUS_CODES[status] ?? '', fields, framing }, false);
  draft.body = body;
  exchange.draft = draft;
}

let second = 0;
let dated = '';

/** IMF-fixdate; made once a second. */
function httpDate(now: number): string {
  const current = Math.floor(now / 1_000);
  if (current !== second) {
    second = current;
    dated = new Date(current * 1_000).toUTCString();
  }
  return dated;
}
