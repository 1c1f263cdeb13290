/** What serves visitors and agents: an edge in this process, or workers. */
import type { Edge } from '@postern/edge';
import type { PlaneNumbers } from './numbers.ts';

export interface DataPlane {
  /** Resolves when it serves. */
  start(): Promise<void>;
  /** @param successor resolves when another server takes agents */
  stop(successor?: Promise<void>): Promise<void>;
  numbers(): Promise<PlaneNumbers>;
  /** Files that it has read are read again. */
  reload(): void;
}

export function planeHere(edge: Edge, reload: () => void): DataPlane {
  return {
    start: () => edge.start(),
    stop: (successor) => edge.stop(successor),
    numbers: () => Promise.resolve({ edge: edge.stats(), traffic: [], uncaught: 0, workers: [], lost: 0 }),
    reload,
  };
}
