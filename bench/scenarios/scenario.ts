/** What is measured otherwise than by requests in rounds. */
import type { Stage } from '../stage.ts';

export interface Figure {
  readonly text: string;
  readonly value: number;
  readonly unit: string;
  /** Highest value that meets the aim, or with `atLeast` the lowest; null = there is none. */
  readonly aim: number | null;
  readonly atLeast?: boolean;
}

export interface Scenario {
  readonly id: string;
  readonly group: 'memory' | 'beside-bulk' | 'overload' | 'workers';
  readonly title: string;
  /** @throws Missing where this machine has not what it needs */
  readonly run: (stage: Stage) => Promise<readonly Figure[]>;
}
