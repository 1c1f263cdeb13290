/** Outcomes of policies, some of which come later. */
import type { Outcome } from '@postern/policy';
import type { EdgeContext } from '../../context.ts';
import type { Exchange } from '../exchange/exchange.ts';

/** Whoever waits for one. */
export interface Waiting {
  readonly edge: EdgeContext;
  /** It has not come in time. */
  late(exchange: Exchange, policyMs: number): void;
  /** It is none: a mistake of ours. */
  fault(exchange: Exchange, error: unknown): void;
}

/** Goes on with an outcome now or, the body held meanwhile, when it is there; never after the visitor has left. */
export function settle(
  waiting: Waiting,
  exchange: Exchange,
  outcome: Outcome | Promise<Outcome>,
  next: (outcome: Outcome) => void,
): void {
  if (!(outcome instanceof Promise)) {
    next(outcome);
    return;
  }
  if (exchange.heldAnswer === null) exchange.upstream?.hold();
  void wait(waiting, exchange, outcome, next);
}

async function wait(
  waiting: Waiting,
  exchange: Exchange,
  outcome: Promise<Outcome>,
  next: (outcome: Outcome) => void,
): Promise<void> {
  const { policyMs } = waiting.edge.config.limits;
  const late = exchange.requester.guard.schedule(policyMs, () => waiting.late(exchange, policyMs));
  try {
    const settled = await outcome;
    late.cancel();
    if (!exchange.finished) next(settled);
  } catch (error) {
    late.cancel();
    waiting.fault(exchange, error);
  }
}
