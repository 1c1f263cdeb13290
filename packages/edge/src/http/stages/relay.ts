/** Somebody outside answers a request in the place of its endpoint's upstream (`ai-gateway`). */
import { isPosternError } from '@postern/errors';
import type { Outcome } from '@postern/policy';
import { RelayUpstream } from '../client/relay.ts';
import { type Exchange, Phase } from '../exchange/exchange.ts';
import type { Frame } from '../exchange/frame.ts';
import { settle, type Waiting } from './settle.ts';

/**
 * Waits for the head of the answer, for as long as the action does; a visitor who leaves ends it by the exchange's signal.
 * @param next goes on with what the policy makes of a failure
 */
export async function relay(
  waiting: Waiting,
  exchange: Exchange,
  frame: Frame,
  { open, onError }: Extract<Outcome, { kind: 'relay' }>,
  next: (outcome: Outcome) => void,
): Promise<void> {
  try {
    const answer = await open();
    if (exchange.finished) {
      if (!isPosternError(answer)) answer.body.destroy();
    } else if (!isPosternError(answer)) {
      exchange.phase = Phase.sending;
      new RelayUpstream(answer, exchange).begin();
    } else if (onError === 'continue' && frame.run !== null) {
      settle(waiting, exchange, frame.run.forwardFailed(answer), next);
    } else next({ kind: 'error', error: answer, headers: [] });
  } catch (error) {
    waiting.fault(exchange, error);
  }
}
