/** Rules as they run: closures, shared by all requests, which keep nothing of any of them. */
import type { Operator } from '../operators/operator.ts';
import type { Macro } from '../syntax/macro.ts';
import type { Transaction } from '../run/transaction.ts';
import type { RuleFacts } from './rule-facts.ts';
import type { TransformChain } from './transform-chain.ts';
import type { Target } from './target.ts';

export type Phase = 1 | 2 | 3 | 4 | 5;

/** What a rule that matches does to the message. */
export type Disruption = 'none' | 'deny' | 'allow' | 'allow-phase' | 'allow-request';

/** One `SecRule` of a chain, or a `SecAction`. */
export interface Link {
  /** null = always matches. */
  readonly targets: Target | null;
  readonly operator: Operator;
  readonly negated: boolean;
  readonly transform: TransformChain;
  /** Looks at a value after each transformation, not only behind the last. */
  readonly multiMatch: boolean;
  readonly captures: boolean;
  /** Run for every value that matches. */
  readonly effects: readonly ((transaction: Transaction) => void)[];
}

export interface Rule extends RuleFacts {
  readonly phase: Phase;
  readonly links: readonly Link[];
  readonly data: Macro;
  readonly disruption: Disruption;
  /** Tells nobody that it matched. */
  readonly silent: boolean;
  /** Where the phase goes on when it matches; null = with the next rule. */
  readonly skipAfter: string | null;
  readonly skip: number;
}

/** Why a rule of the files is not run, for whoever operates the server. */
export interface RuleNotRun {
  readonly id: number;
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

/** A place in a phase. */
export interface Step {
  readonly rule: Rule;
  /** Index of the step behind it, by what it skips. */
  readonly next: number;
}

export interface RuleSet {
  readonly phases: Readonly<Record<Phase, readonly Step[]>>;
  /** Rules that run. */
  readonly size: number;
  readonly notRun: readonly RuleNotRun[];
  /** How many different prefixes of transformations the rules have: what results are kept by. */
  readonly chains: number;
}
