import { fail } from '@postern/errors';
import type { AgentCommand } from '@postern/link';
import type { SessionRecord } from '@postern/registry';
import type { Core } from '../core.ts';
import type { Caller, TunnelSessionService, TunnelSessionView } from '../types.ts';
import { pageOf } from './paging.ts';

const VERBS = {
  stop: { refused: 805, failed: 807, refusal: 'stopRefusal' },
  restart: { refused: 804, failed: 808, refusal: 'restartRefusal' },
  update: { refused: 806, failed: 809, refusal: 'updateRefusal' },
} as const;

/** Agent sessions: listed, and told to stop, restart or update (agent-protocol.md §5.8). */
export function createTunnelSessions(core: Core): TunnelSessionService {
  async function find(caller: Caller, id: string): Promise<SessionRecord | null> {
    const session = await core.registry.getSession(id);
    return session?.accountId === caller.accountId ? session : null;
  }

  /** @throws 804–810 */
  async function command(caller: Caller, id: string, wanted: AgentCommand): Promise<boolean> {
    const session = await find(caller, id);
    if (session === null) return false;
    const verb = VERBS[wanted.kind];
    const refusal = session[verb.refusal];
    if (refusal !== null) throw fail(verb.refused, { id, reason: refusal });
    const edge = core.edges.where(id);
    if (edge === null) return false;
    const error = await edge.agentCommand(id, wanted);
    if (error !== '') throw fail(verb.failed, { id, reason: error });
    return true;
  }

  return {
    async get(caller, id) {
      const session = await find(caller, id);
      return session === null ? null : view(session);
    },
    async list(caller, query) {
      const { limit, beforeId = '' } = query;
      return pageOf(await core.registry.sessionsBefore(caller.accountId, { beforeId, limit: limit + 1 }), limit, view);
    },
    stop: (caller, id) => command(caller, id, { kind: 'stop' }),
    restart: (caller, id) => command(caller, id, { kind: 'restart' }),
    update: (caller, id, version) => command(caller, id, { kind: 'update', version, permitMajorVersion: false }),
  };
}

function view(session: SessionRecord): TunnelSessionView {
  const { id, agentVersion, credentialId, ip, metadata, os, region, startedAt, transport } = session;
  return { id, agentVersion, credentialId, ip, metadata, os, region, startedAt, transport };
}
