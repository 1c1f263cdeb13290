/** What an operator of a rule is compiled to. */
import type { Macro } from '../syntax/macro.ts';

/** What it may ask while it runs. */
export interface OperatorScope {
  /** Whether the rule wants to know what matched (`capture`). */
  readonly captures: boolean;
  expand(macro: Macro): string;
  /** Units of about ten nanoseconds, before they are used. @throws Exhausted */
  spend(units: number): void;
  /** As `spend`, when it is known only afterwards: runs the work and pays by the clock. @throws Exhausted */
  measure<T>(work: () => T): T;
}

/** What matched (TX.0 and groups behind it); null = no match. */
export type Operator = (value: string, scope: OperatorScope) => readonly string[] | null;

/** A match of which there is nothing to show. */
export const MATCHED: readonly string[] = Object.freeze([]);

/** What operators read when the rules are compiled. */
export interface OperatorFiles {
  /** Text of a file beside the rules. @throws Mistake */
  data(name: string): string;
}
