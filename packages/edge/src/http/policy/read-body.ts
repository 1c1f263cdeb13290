/** The body of a request, read by a policy: it is held until somebody takes it, and given to every service. */
import type { BodyProblem } from '@postern/policy';
import type { EdgeContext } from '../../context.ts';
import { type Exchange, Phase } from '../exchange/exchange.ts';
import { removeField, valueOf } from '../exchange/fields.ts';
import { HeldBody } from '../exchange/held-body.ts';

const EMPTY = Buffer.alloc(0);

/**
 * @param limit bytes
 * @returns memory that the service's bytes share: it is to be read only
 */
export function readBody(exchange: Exchange, edge: EdgeContext, limit: number): Promise<Buffer | BodyProblem> {
  const { body, phase, requester, current, downstream } = exchange;
  if (body === null) return Promise.resolve(phase === Phase.deciding ? EMPTY : 'gone');
  if (body.held === null) {
    if (body.consumed || phase !== Phase.deciding) return Promise.resolve('gone');
    if (body.ended) return Promise.resolve(EMPTY);
    const owner = { network: requester.network, endpointId: current?.endpoint.id ?? '' };
    body.held = new HeldBody(downstream, edge.bodies, owner, requester.guard, edge.config.limits.policyBodyMs);
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
