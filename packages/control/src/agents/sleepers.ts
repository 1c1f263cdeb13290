import { isPosternError } from '@postern/errors';
import type { OnlineEndpoint, TunnelRecord } from '@postern/registry';
import { ALONE, run } from '../change/change.ts';
import { messageOf, putOnline } from '../change/confirm.ts';
import { type Decision, unchanged } from '../change/value.ts';
import { lookAt } from '../claims.ts';
import { agentConflictError, conflictWith, type Holder } from '../rules/conflicts.ts';
import type { Core } from '../core.ts';
import { footingFor } from './choose.ts';

type AddressedTunnel = TunnelRecord & { readonly endpoint: OnlineEndpoint };

/**
 * Agents that were silent for long and lost an address for it, but not their session. One that wakes before its session
 * ends still holds the listener, and would never ask for it again: it gets the address back from whoever took it. (One
 * whose session ended comes back on a new one, with its resume token.)
 */
export class Sleepers {
  readonly #core: Core;
  readonly #bySession = new Map<string, AddressedTunnel[]>();
  #stopped = false;

  constructor(core: Core) {
    this.#core = core;
  }

  stop(): void {
    this.#stopped = true;
    this.#bySession.clear();
  }

  /** Inside the claim step that took the address. */
  add(tunnel: TunnelRecord): void {
    const { endpoint, sessionId } = tunnel;
    if (endpoint === null || this.#stopped) return;
    const lost = this.#bySession.get(sessionId);
    if (lost !== undefined) return void lost.push({ ...tunnel, endpoint });
    this.#bySession.set(sessionId, [{ ...tunnel, endpoint }]);
    void this.#watch(sessionId).catch((error: unknown) => {
      this.#core.log.error({ session: sessionId, error: messageOf(error) }, 'a silent agent is watched no more');
      this.#bySession.delete(sessionId);
    });
  }

  /** The agent closed the listener, or asked for it again by itself. */
  forget(sessionId: string, bindId: string): void {
    const lost = this.#bySession.get(sessionId);
    if (lost === undefined) return;
    const left = lost.filter((tunnel) => tunnel.bindId !== bindId);
    this.#bySession.set(sessionId, left);
  }

  async #watch(sessionId: string): Promise<void> {
    const { registry, edges, config } = this.#core;
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, config.limits.wakeMs).unref());
      const gone = this.#stopped || (await registry.getSession(sessionId)) === null;
      if (gone) return void this.#bySession.delete(sessionId);
      const awake = (await edges.where(sessionId)?.probeSession(sessionId)) ?? false;
      if (!awake) continue;
      const lost = this.#bySession.get(sessionId) ?? [];
      this.#bySession.delete(sessionId);
      for (const tunnel of lost) await this.#restore(tunnel);
      return;
    }
  }

  async #restore(lost: AddressedTunnel): Promise<void> {
    const core = this.#core;
    const { sessionId, bindId, endpoint } = lost;
    try {
      const done = await run(core, ALONE, () => takeBackFor(core, lost));
      if (!done.answer) return;
      core.log.info({ session: sessionId, url: endpoint.url }, 'an agent that was silent is back and has its address');
      await putOnline(core, endpoint.url, done);
    } catch (error) {
      // It believes to be served: it has to be told.
      const code = isPosternError(error) ? error.code : null;
      core.log.warn({ session: sessionId, url: endpoint.url, error: messageOf(error) }, 'an address stays lost');
      core.edges.where(sessionId)?.stopTunnel(sessionId, bindId, messageOf(error), code);
    }
  }
}

/** Whether there is somebody to give it back to, and the change that does. @throws 334, 6030, 307, 318–321 */
async function takeBackFor(core: Core, lost: AddressedTunnel): Promise<Decision<boolean>> {
  const { accountId, sessionId, endpoint } = lost;
  if ((await core.registry.getSession(sessionId)) === null) return unchanged(false);
  const leaving: TunnelRecord[] = [];
  const others: Holder[] = [];
  const { holders, fence } = await lookAt(core, accountId, endpoint);
  for (const holder of holders) {
    const took = holder.kind === 'agent' && holder.tunnel.tookFrom.includes(endpoint.id);
    if (took && !(holder.pooling && endpoint.poolingEnabled)) leaving.push(holder.tunnel);
    else others.push(holder);
  }
  const conflict = conflictWith(others, accountId, endpoint.poolingEnabled);
  if (conflict !== null) throw agentConflictError(endpoint.publicUrl, accountId, conflict);
  const named = endpoint.domainId !== '' || endpoint.tcpAddrId !== '';
  const { writes, domainId, tcpAddrId } = await footingFor(core, accountId, endpoint, named);
  const tookFrom = [...new Set([...lost.tookFrom, ...leaving.flatMap((old) => old.tookFrom)])];
  const tunnel: TunnelRecord = {
    ...lost,
    updatedAt: core.timestamp(),
    endpoint: { ...endpoint, domainId, tcpAddrId },
    tookFrom: tookFrom.filter((id) => id !== endpoint.id),
  };
  return {
    answer: true,
    writes,
    registry: [...leaving.map(({ id }) => ({ op: 'remove' as const, id })), { op: 'put', tunnel }],
    fence,
    tell: () => {
      for (const old of leaving) {
        const edge = core.edges.where(old.sessionId);
        edge?.stopTunnel(old.sessionId, old.bindId, 'the agent that had this address before is back', null);
      }
    },
  };
}
