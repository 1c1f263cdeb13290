/**
 * Bodies that policies read: they are held, a request's until somebody takes it and for every service that is asked, an
 * answer's until its head has gone to the visitor.
 */
import type { BodyProblem } from '@postern/policy';
import type { EdgeContext } from '../../context.ts';
import { type Exchange, Phase } from '../exchange/exchange.ts';
import { removeField, valueOf } from '../exchange/fields.ts';
import type { BodyOwner } from '../exchange/body-room.ts';
import { HeldBody, type HowMuch } from '../exchange/held-body.ts';
import type { ResponseDraft } from '../exchange/message.ts';
import type { BodySource } from '../exchange/ports.ts';

const EMPTY = Buffer.alloc(0);

/**
 * @param limit bytes
 * @returns memory that the service's bytes share: it is to be read only
 */
export function readBody(
  exchange: Exchange,
  edge: EdgeContext,
  limit: number,
  howMuch: HowMuch,
): Promise<Buffer | BodyProblem> {
  const { body, phase } = exchange;
  if (body === null) return Promise.resolve(phase === Phase.deciding ? EMPTY : 'gone');
  if (body.held === null) {
    if (body.consumed || phase !== Phase.deciding) return Promise.resolve('gone');
    if (body.ended) return Promise.resolve(EMPTY);
    body.held = holdOf(exchange, edge, exchange.downstream);
  }
  if (!body.ended) askForIt(exchange);
  return body.held.read(limit, howMuch);
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
  howMuch: HowMuch,
): Promise<Buffer | BodyProblem> {
  const { upstream, request, heldAnswer } = exchange;
  if (draft.body !== null) {
    if (howMuch === 'start') return Promise.resolve(draft.body.subarray(0, limit));
    return Promise.resolve(draft.body.length > limit ? 'too-large' : draft.body);
  }
  if (heldAnswer !== null) return heldAnswer.read(limit, howMuch);
  if (exchange.responding || exchange.draft !== draft || upstream === null) return Promise.resolve('gone');
  if (draft.framing.kind === 'none' || request.method === 'HEAD') return Promise.resolve(EMPTY);
  const held = holdOf(exchange, edge, upstream);
  // First asked for, then let go: what has come meanwhile is read at once.
  const body = held.read(limit, howMuch);
  exchange.holdAnswer(held);
  return body;
}

/** What was read by `readBody` is not what the service gets. */
export function replaceBody({ body: from, request }: Exchange, body: Buffer): void {
  from?.held?.replace(body);
  if (request.framing.kind === 'length') request.framing = { kind: 'length', length: body.length };
}

/** What was read by `readAnswer` is not what the visitor gets. */
export function replaceAnswer({ heldAnswer }: Exchange, draft: ResponseDraft, body: Buffer): void {
  if (draft.body === null) heldAnswer?.replace(body);
  else draft.body = body;
  if (draft.framing.kind === 'length') draft.framing = { kind: 'length', length: body.length };
}

/** Memory for what is made of an answer; one that was made here has none of its own. */
export function reserveForAnswer(exchange: Exchange, edge: EdgeContext, draft: ResponseDraft, bytes: number): boolean {
  if (draft.body === null) return exchange.heldAnswer?.reserve(bytes) ?? false;
  const owner = ownerOf(exchange);
  if (exchange.finished || !edge.bodies.take(owner, bytes)) return false;
  exchange.listeners ??= [];
  exchange.listeners.push(() => edge.bodies.give(owner, bytes));
  return true;
}

function ownerOf({ requester, current }: Exchange): BodyOwner {
  return { network: requester.network, endpointId: current?.endpoint.id ?? '' };
}

function holdOf(exchange: Exchange, edge: EdgeContext, source: BodySource): HeldBody {
  const { guard } = exchange.requester;
  return new HeldBody(source, edge.bodies, ownerOf(exchange), guard, edge.config.limits.policyBodyMs);
}
