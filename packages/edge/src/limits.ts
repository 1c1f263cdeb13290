import type { EdgeLimits } from './context.ts';

/** The defaults of docs/design.md §3. */
export const DEFAULT_EDGE_LIMITS: EdgeLimits = {
  headBytes: 262_144,
  clientHelloMs: 3_000,
  tlsHandshakeMs: 10_000,
  requestHeadMs: 30_000,
  idleMs: 300_000,
  stallMs: 30_000,
  rpcBytes: 4_194_304,
  drainMs: 30_000,
  streamsPerSession: 480,
  mostStreamsPerSession: 16_384,
  suspectMs: 5_000,
  queueMs: 5_000,
  arrivalMs: 2_000,
  upstreamIdleMs: 4_000,
  policyMs: 120_000,
  policyBodyMs: 60_000,
  connections: 20_000,
  connectionsPerIp: 10_000,
};
