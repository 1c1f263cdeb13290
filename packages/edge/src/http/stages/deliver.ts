/** The response goes to the visitor: its head now, its body as it comes. */
import type { FilterMaker } from '@postern/policy';
import type { Exchange } from '../exchange/exchange.ts';
import { hasNoBody, removeField, valueOf } from '../exchange/fields.ts';
import type { ResponseDraft } from '../exchange/message.ts';

const CHUNKED = { kind: 'chunked' } as const;

/** Whether the visitor's side takes the head. Tried, one that it does not costs whatever else is under way on the connection. */
export function isCarried({ draft, downstream, answerFields }: Exchange): boolean {
  if (draft === null) return true;
  return downstream.carries(answerFields === null ? draft : { fields: draft.fields.concat(answerFields) });
}

export function deliver(exchange: Exchange): void {
  const { draft } = exchange;
  if (draft === null || exchange.finished) return;
  const { status, framing, body } = draft;
  const bodiless = exchange.request.method === 'HEAD' || hasNoBody(status);
  const filters = bodiless || framing.kind === 'none' ? null : filtersOf(draft);
  const resized = filters?.some((filter) => !filter.keepsLength) === true;
  if (resized || (framing.kind === 'length' && !bodiless && wantsChunks(exchange, draft))) {
    removeField(draft.fields, 'content-length');
    draft.framing = CHUNKED;
  }
  if (filters !== null) exchange.upstream?.narrow?.();
  if (exchange.answerFields !== null) draft.fields.push(...exchange.answerFields);
  exchange.answer(draft, filters, framing.kind !== 'length');
  if (body === null) {
    exchange.upstream?.release();
    return;
  }
  if (!bodiless && body.length > 0) exchange.responseBody(body, 0, body.length);
  exchange.responseEnd();
}

function filtersOf({ messages, filters }: ResponseDraft): readonly FilterMaker[] | null {
  return messages === null ? filters : [...messages, ...(filters ?? [])];
}

/** Trailers are announced that follow a length: HTTP/2 has room for both, HTTP/1 only behind chunks. */
function wantsChunks(exchange: Exchange, draft: ResponseDraft): boolean {
  if (exchange.upstream?.mayTrail !== true || exchange.request.version !== 'HTTP/1.1') return false;
  const { fields } = draft;
  return (
    valueOf(fields, 'trailer') !== undefined || valueOf(fields, 'content-type')?.startsWith('application/grpc') === true
  );
}
