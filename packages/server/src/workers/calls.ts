/** What the server and its workers say to each other, beside the link of control and edge. Plain data. */
import type { EdgeConfig, EdgeStats, Service } from '@postern/edge';
import type { Address } from '../config/addresses.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { ListenerName } from '../listeners/list.ts';
import type { TrafficSums } from '../metrics/traffic-counts.ts';
import type { ProcessNumbers } from '../metrics/process-numbers.ts';

/** Names of the ways over a worker's channel. */
export const WAYS = ['link', 'worker', 'shares', 'sockets'] as const;

/** A listener of the edge, as a worker gets it. */
export interface WorkerDoor {
  readonly name: ListenerName;
  readonly serves: Service;
  /** Where it listens, in one queue with the other workers; empty = connections are handed to it one by one. */
  readonly shared: readonly Address[];
  readonly addresses: readonly Address[];
}

export interface WorkerStart extends Pick<ServerConfig, 'addressData' | 'owaspCrs' | 'logFormat' | 'logLevel'> {
  /** Unlike that of any worker before. */
  readonly name: string;
  /** For the sockets between workers. */
  readonly directory: string;
  readonly config: EdgeConfig;
  readonly doors: readonly WorkerDoor[];
}

/** Goes with a connection that is handed over. */
export interface HandedOver {
  /** What the worker says when it has it. */
  readonly id: number;
  readonly door: ListenerName;
  readonly port: number;
}

export interface WorkerNumbers {
  readonly edge: EdgeStats;
  readonly traffic: TrafficSums;
  readonly process: ProcessNumbers;
  /** Mistakes that nothing in the worker had to catch. */
  readonly uncaught: number;
}

/** What a worker answers. */
export interface WorkerCalls {
  /** It is loaded, and asks for nothing more than {@link start}. */
  loaded(): void;
  /** Resolves when it serves. */
  start(start: WorkerStart): Promise<void>;
  /** Resolves when nothing of a visitor's or an agent's is left. */
  stop(): Promise<void>;
  /** The next server takes agents. */
  succeeded(): void;
  numbers(): WorkerNumbers;
  /** Files are read again. */
  reload(): void;
}
