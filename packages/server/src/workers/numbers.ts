import type { EdgeStats } from '@postern/edge';
import type { ProcessNumbers } from '../metrics/process-numbers.ts';

export interface WorkerReading {
  readonly name: string;
  readonly process: ProcessNumbers;
}

export interface PlaneNumbers {
  readonly edge: EdgeStats;
  readonly uncaught: number;
  /** One for each worker that runs. */
  readonly workers: readonly WorkerReading[];
  /** Workers that ended by themselves, since the start. */
  readonly lost: number;
}
