/**
 * Bodies that policies read: they are held, a request's until somebody takes it and for every service that is asked, an
 * answer's until its head has gone to the visitor.
 */
import type { BodyProblem } from '@postern/policy';
import type { EdgeContext } from '../../context.ts';
import { type Exchange, Phase } from '../exchange/exchange.ts';
import { removeField, valueOf } from '../exchange/fields.ts';
import { HeldBody } from '../exchange/held-body.ts';
import type { ResponseDraft } from '../exchange/message.ts';
import type { BodySource } from '../exchange/ports.ts';

const EMPTY = Buffer.alloc(0);

/**
 * @param limit bytes
 * @returns memory that the service's bytes share: it is to be read only
 */
export function readBody(exchange: Exchange, edge: EdgeContext, limit: number): Promise<Buffer | BodyProblem> {
  const { body, phase } = exchange;
  if (body === null) return Promise.resolve(phase === Phase.deciding ? EMPTY : 'gone');
  if (body.held === null) {
    if (body.consumed || phase !== Phase.deciding) return Promise.resolve('gone');
    if (body.ended) return Promise.resolve(EMPTY);
    body.held = holdOf(exchange, edge, exchange.downstream);
  }
  if (!body.ended) askForIt(exchange);
  return body.held.read(limit);
}

/** The visitor may be waiting to be asked for it (RFC 9110 §10.1.1); the service need not ask again. */
function askForIt(exchange: Exchange): void {
  const { fields } = exchange.request;
  if (valueOf(fields, 'expect')?.toLowerCase() !== '100-continue') return;
  removeField(fields, 'expect');
  exchange.downstream.informational(100, 'Continue', []);
}

/**
 * As `readBody`, of the answer whose head is in `draft`. What the service sends beyond the limit waits, and goes to the
 * visitor behind the rest.
 */
export function readAnswer(
  exchange: Exchange,
  edge: EdgeContext,
  draft: ResponseDraft,
  limit: number,
): Promise<Buffer | BodyProblem> {
  const { upstream, request, heldAnswer } = exchange;
  if (draft.body !== null) return Promise.resolve(draft.body.length > limit ? 'too-large' : draft.body);
  if (heldAnswer !== null) return heldAnswer.read(limit);
  if (exchange.responding || exchange.draft !== draft || upstream === null) return Promise.resolve('gone');
  if (draft.framing.kind === 'none' || request.method === 'HEAD') return Promise.resolve(EMPTY);
  const held = holdOf(exchange, edge, upstream);
  // First asked for, then let go: what has come meanwhile is read at once.
  const body = held.read(limit);
  exchange.holdAnswer(held);
  return body;
}

function holdOf({ requester, current }: Exchange, edge: EdgeContext, source: BodySource): HeldBody {
  const owner = { network: requester.network, endpointId: current?.endpoint.id ?? '' };
  return new HeldBody(source, edge.bodies, owner, requester.guard, edge.config.limits.policyBodyMs);
}
