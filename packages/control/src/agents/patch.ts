import { fail } from '@postern/errors';
import type { PatchTunnelRequest } from '@postern/protocol';
import type { OnlineEndpoint, Snapshot, TunnelRecord } from '@postern/registry';
import { run } from '../change/change.ts';
import { putOnline } from '../change/confirm.ts';
import { lookAt } from '../claims.ts';
import { agentConflictError, conflictWith } from '../rules/conflicts.ts';
import type { Core } from '../core.ts';
import type { Keys } from '../gate/keys.ts';
import { checkLength, METADATA_BYTES } from '../texts.ts';
import { checkFieldLength } from './bind.ts';
import { mergePolicy, NO_RULES } from './options.ts';

const NO_FENCE: Snapshot = new Map();

/**
 * Changes an online endpoint in place (agent-protocol.md §5.7); absent fields stay.
 * @throws 100, 334, 6030, 9026, 90051, 90052 (also when the tunnel is not one of this session)
 */
export async function patchTunnel(core: Core, sessionId: string, request: PatchTunnelRequest): Promise<void> {
  checkLength(request.metadata, METADATA_BYTES, 100);
  checkFieldLength('name', request.name ?? '');
  checkFieldLength('description', request.description ?? '');
  const keysOfTunnel = async (keys: Keys): Promise<Keys> =>
    keys.id(sessionId).tunnels([await ownTunnel(core, sessionId, request.tunnelId)]);
  const done = await run(core, keysOfTunnel, async () => {
    const current = await ownTunnel(core, sessionId, request.tunnelId);
    const fence = await fenceOf(core, current, request);
    const next: TunnelRecord = {
      ...current,
      updatedAt: core.timestamp(),
      name: request.name ?? current.name,
      description: request.description ?? current.description,
      metadata: request.metadata ?? current.metadata,
      endpoint: current.endpoint === null ? null : patchEndpoint(core, current.endpoint, request),
    };
    return { answer: next, writes: [], registry: [{ op: 'put', tunnel: next }], fence };
  });
  await putOnline(core, done.answer.endpoint?.url ?? done.answer.id, done);
}

async function ownTunnel(core: Core, sessionId: string, id: string): Promise<TunnelRecord> {
  const tunnel = (await core.registry.getTunnel(id)) ?? (await core.registry.findTunnel(sessionId, id));
  if (tunnel?.sessionId !== sessionId) throw fail(90052, { id: sessionId });
  return tunnel;
}

/** Who shares the address, where the endpoint is to share it or to stop. @throws 334, 6030 */
async function fenceOf(
  core: Core,
  { accountId, endpoint }: TunnelRecord,
  { poolingEnabled = endpoint?.poolingEnabled ?? false }: PatchTunnelRequest,
): Promise<Snapshot> {
  if (endpoint === null || poolingEnabled === endpoint.poolingEnabled) return NO_FENCE;
  const { holders, fence } = await lookAt(core, accountId, endpoint);
  const others = holders.filter(({ id }) => id !== endpoint.id);
  const conflict = conflictWith(others, accountId, poolingEnabled);
  if (conflict !== null) throw agentConflictError(endpoint.publicUrl, accountId, conflict);
  return fence;
}

function patchEndpoint(
  core: Core,
  endpoint: OnlineEndpoint,
  { poolingEnabled = endpoint.poolingEnabled, trafficPolicy }: PatchTunnelRequest,
): OnlineEndpoint {
  if (trafficPolicy === undefined) return { ...endpoint, poolingEnabled };
  const effectivePolicy = mergePolicy(core.policy, trafficPolicy, endpoint.optionRules ?? NO_RULES, endpoint);
  return { ...endpoint, poolingEnabled, trafficPolicy, effectivePolicy };
}
