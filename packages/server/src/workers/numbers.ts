import type { EdgeStats } from '@postern/edge';
import type { TrafficSums } from '../metrics/traffic-counts.ts';
import type { ProcessNumbers } from '../metrics/process-numbers.ts';

export interface WorkerReading {
  readonly name: string;
  /** Of visitors, open now. */
  readonly connections: number;
  readonly process: ProcessNumbers;
}

export interface PlaneNumbers {
  readonly edge: EdgeStats;
  /** What each has counted of traffic; empty where it is told of each exchange. */
  readonly traffic: readonly TrafficSums[];
  readonly uncaught: number;
  /** One for each worker that runs. */
  readonly workers: readonly WorkerReading[];
  /** Workers that ended by themselves, since the start. */
  readonly lost: number;
}
