/** What the server and its workers say to each other, beside the link of control and edge. Plain data. */
import type { EdgeConfig, EdgeStats, MovedVisitor, Service } from '@postern/edge';
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

/** A connection that the server has accepted for a worker, or that another worker had. */
export type Handed =
  | { readonly kind: 'new'; readonly door: ListenerName; readonly port: number }
  | { readonly kind: 'moved'; readonly from: string; readonly visitor: MovedVisitor };

/** Goes with the socket. @param id what the worker says when it has it */
export interface HandedOver {
  readonly id: number;
  readonly what: Handed;
}

/** From a worker, with a socket: another one is to have it. */
export interface MoveRequest {
  /** Of the worker. */
  readonly id: number;
  readonly edge: string;
  readonly visitor: MovedVisitor;
}

/** From a worker, without: it has one that was handed over, and reads it from now on. */
export interface Took {
  readonly took: number;
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
  /** What became of a connection that it has sent on. */
  moved(id: number, stays: boolean): void;
  /** Of all workers, how much of a core they had, by name. */
  loads(loads: Readonly<Record<string, number>>): void;
  /** Files are read again. */
  reload(): void;
}
