/** Judges messages by a set of rules: anomaly scores, as the Core Rule Set counts them, and what denies. */
import type { MatchedRule, Run } from './run/evaluate.ts';
import { runPhase } from './run/evaluate.ts';
import type { RequestMessage, ResponseMessage } from './run/message.ts';
import { Transaction } from './run/transaction.ts';
import { Exhausted, Work } from './run/work.ts';
import type { Rule, RuleSet } from './rules/rule.ts';
import { RequestParts } from './variables/request.ts';

export interface Verdict {
  /** null, or why the message could not be judged: a clause for whoever operates the server. */
  readonly problem: string | null;
  readonly denied: boolean;
  readonly score: number;
  readonly threshold: number;
  readonly matched: readonly MatchedRule[];
  /** Units that are left of those that were given. */
  readonly left: number;
}

export interface JudgeOptions {
  /** Rules that are left out. */
  readonly excluded: ReadonlySet<number>;
  /** What judging may cost, in about ten nanoseconds each. */
  readonly units: number;
}

/** One set of rules, compiled once, for whoever judges messages. */
export interface Firewall {
  judgeRequest(message: RequestMessage, options: JudgeOptions): Verdict;
  /** @param request what is answered: rules set themselves up by it, and it is not judged again */
  judgeResponse(request: RequestMessage, response: ResponseMessage, options: JudgeOptions): Verdict;
}

/** Names under which versions of the rule set keep what they have counted; the first that is there counts. */
const INBOUND: Counting = {
  scores: ['blocking_inbound_anomaly_score', 'anomaly_score'],
  threshold: 'inbound_anomaly_score_threshold',
};
const OUTBOUND: Counting = {
  scores: ['blocking_outbound_anomaly_score', 'outbound_anomaly_score'],
  threshold: 'outbound_anomaly_score_threshold',
};

interface Counting {
  readonly scores: readonly string[];
  readonly threshold: string;
}

/** @param clock milliseconds that whoever judges has worked; monotonic */
export function createFirewall(rules: RuleSet, clock: () => number): Firewall {
  return {
    judgeRequest: (message, options) =>
      judge({ rules, clock, ...options }, message, INBOUND, (transaction, run) => {
        runPhase(1, transaction, run);
        if (message.body !== null && transaction.requestBody) transaction.bodyComes();
        runPhase(2, transaction, run);
      }),
    judgeResponse: (request, response, options) =>
      judge({ rules, clock, ...options }, request, OUTBOUND, (transaction, run) => {
        runPhase(1, transaction, run, setsUp);
        transaction.responseComes({ ...response, body: null });
        runPhase(3, transaction, run);
        transaction.responseComes(response);
        runPhase(4, transaction, run);
      }),
  };
}

/** Rules that only write down what others ask for. */
function setsUp(rule: Rule): boolean {
  return rule.silent && rule.disruption === 'none';
}

interface Judging extends JudgeOptions {
  readonly rules: RuleSet;
  readonly clock: () => number;
}

function judge(
  { rules, excluded, units, clock }: Judging,
  message: RequestMessage,
  { scores, threshold }: Counting,
  phases: (transaction: Transaction, run: Run) => void,
): Verdict {
  const work = new Work(units, clock);
  const transaction = new Transaction(new RequestParts(message), work);
  const run: Run = { rules, excluded, matched: [], denied: null, allowed: false };
  let problem: string | null = null;
  try {
    phases(transaction, run);
  } catch (error) {
    if (!(error instanceof Exhausted)) throw error;
    problem = error.message;
  }
  const written = transaction.stored('TX');
  const number = (name: string): number =>
    Number.parseInt(written.find(({ key }) => key === name)?.value ?? '', 10) || 0;
  const name = scores.find((one) => written.some(({ key }) => key === one)) ?? '';
  return {
    problem,
    denied: run.denied !== null,
    score: number(name),
    threshold: number(threshold),
    matched: run.matched,
    left: work.left,
  };
}
