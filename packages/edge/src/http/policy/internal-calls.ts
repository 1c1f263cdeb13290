/** Requests that policies make (`http-request`): to internal endpoints of their account, and within bounds. */
import { fail, type PosternError } from '@postern/errors';
import type { OutgoingAnswer, OutgoingHttp, OutgoingRequest } from '@postern/policy';
import type { EdgeContext } from '../../context.ts';
import type { Turn } from './call-turns.ts';
import { type CallStages, InternalCall } from './internal-call.ts';
import type { KeptIndex } from '../client/kept.ts';
import { HttpPolicyContext } from './views.ts';

/** A policy calls an endpoint whose policy calls another, and so on. */
const MOST_LEVELS = 3;

export class InternalCalls implements OutgoingHttp {
  readonly #edge: EdgeContext;
  readonly #stages: CallStages;
  readonly #kept: KeptIndex;

  constructor(edge: EdgeContext, stages: CallStages, kept: KeptIndex) {
    this.#edge = edge;
    this.#stages = stages;
    this.#kept = kept;
  }

  call(request: OutgoingRequest, from: object): Promise<OutgoingAnswer | PosternError> {
    if (!(from instanceof HttpPolicyContext)) return Promise.resolve(fail(2300, { type: 'http-request' }));
    const depth = (from.exchange.requester.caller?.depth ?? 0) + 1;
    if (from.signal.aborted) return Promise.resolve(fail(3602));
    if (depth > MOST_LEVELS) return Promise.resolve(fail(3603, { max: MOST_LEVELS }));
    return new Promise((resolve) => {
      let turn: Turn | null = null;
      const done = (result: OutgoingAnswer | PosternError): void => {
        turn?.leave();
        resolve(result);
      };
      const caller = { depth, work: from.work };
      const call = new InternalCall(this.#edge, this.#stages, this.#kept, request, from, caller, done);
      const start = (): void => call.guard.run(() => call.start());
      if (depth === 1) {
        const { id, accountId } = from.live.endpoint;
        const refuse = (): void => call.guard.run(() => call.refused(fail(90039)));
        // Its turn comes while another call ends: who fails at once would end within that one's end, and so on.
        turn = this.#edge.callTurns.enter({ endpointId: id, accountId }, () => queueMicrotask(start), refuse);
        if (turn === null) return refuse();
        if (!turn.come) return;
      }
      start();
    });
  }
}
