import { fail } from '@postern/errors';
import type { AgentUpstream } from '@postern/link';
import { refusedBy } from '../../streams/peer-wire.ts';
import type { UpstreamFailure } from '../exchange/ports.ts';

/**
 * Another edge of this node has the agent, and opened no stream into it.
 * @param queueMs how long anybody waits for a place
 * @returns null when the code of a reset says something else
 */
export function notTaken(upstream: AgentUpstream, code: number, queueMs: number): UpstreamFailure | null {
  const limit = refusedBy(code);
  if (limit === null) return null;
  if (limit === 0) return { upstream, error: fail(3210), reason: 'agent-gone', retry: 'any' };
  const error = fail(743, { limit, seconds: queueMs / 1_000 });
  return { upstream, error, reason: 'upstream-reset', retry: 'none' };
}
