import type { Macro } from '../syntax/macro.ts';

/** What rules are known by. */
export interface RuleFacts {
  readonly id: number;
  readonly tags: readonly string[];
  readonly message: Macro;
  /** Lower-case: `critical`; '' = none. */
  readonly severity: string;
}
