import type { Cluster } from '../types.ts';

export interface RegistryUnderTest {
  /** Fresh: nobody has joined. */
  readonly cluster: Cluster;
  /** Moves the clock of its leases. */
  advance(ms: number): void;
  dispose(): Promise<void>;
}
