/** Answers that are made here: what a policy says, and pages of ours. */
import { STATUS_CODES } from 'node:http';
import type { PosternError } from '@postern/errors';
import type { Outcome } from '@postern/policy';
import type { Framing, RawFields } from '@postern/protocol';
import type { Exchange } from '../exchange/exchange.ts';
import { hasNoBody, valueOf } from '../exchange/fields.ts';
import { type AnswerHead, ResponseDraft } from '../exchange/message.ts';
import { constantHead } from './constant-answer.ts';
import { fieldsOf, httpDate } from './own-fields.ts';
import { acceptOf, deniedPage, renderPage } from './pages.ts';

/** Puts a whole answer in the place of what an upstream would say. */
export function answerWith(
  exchange: Exchange,
  status: number,
  headers: readonly (readonly [string, string])[],
  body: Buffer,
): void {
  const { fields, sent } = fieldsOf(status, headers, body);
  put(exchange, status, fields, sent);
}

/** What a rule answers, or its error; a browser that is denied is told so in words. */
export function answerAsTold(exchange: Exchange, outcome: Extract<Outcome, { kind: 'respond' | 'error' }>): void {
  if (outcome.kind === 'error') return answerWithPage(exchange, outcome.error, outcome.headers);
  const { status, headers, body, denied = false } = outcome;
  const head = constantHead(outcome, exchange.requester.now());
  if (head !== null) return putHead(exchange, head, body);
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
  const framing: Framing = hasNoBody(status) ? { kind: 'none' } : { kind: 'length', length: body.length };
  putHead(exchange, { status, reason: STATUS_CODES[status] ?? '', fields, framing }, body);
}

function putHead(exchange: Exchange, head: AnswerHead, body: Buffer): void {
  const draft = new ResponseDraft(head, false);
  draft.body = body;
  exchange.draft = draft;
}
