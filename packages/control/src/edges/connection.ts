import type { ControlLink, EdgePort, ExpectedName } from '@postern/link';
import type { TunnelRecord } from '@postern/registry';
import { fail } from '@postern/errors';
import { bind } from '../agents/bind.ts';
import { bindLabels } from '../agents/labels.ts';
import { sessionEnded, unbind } from '../agents/leave.ts';
import { patchTunnel } from '../agents/patch.ts';
import { authenticate } from '../agents/sessions.ts';
import type { Core } from '../core.ts';
import { storedRoutes } from '../look-again.ts';
import { routeOfAgent } from '../routes.ts';
import type { Everything } from './edge-set.ts';

/** What control gives an edge. */
export interface EdgeConnection {
  readonly link: ControlLink;
  /** The edge is gone (its process ended): the sessions that it held end, and nothing waits for it. */
  gone(): Promise<void>;
}

/** One edge of this node, from now until it is gone. @param name unlike that of any edge before; '' = it is the only one */
export function connectEdge(core: Core, name: string): EdgeConnection {
  const edge = core.edges.add(name);
  const link: ControlLink = {
    async follow(port: EdgePort) {
      // The snapshot is taken inside the claim step and queued there, so that no change falls between the two.
      const { sent } = await core.claims.runAlone(async () => ({
        sent: edge.follow(port, core.settings.current, await everything(core)),
      }));
      await sent;
    },
    certificateFor: (serverName) => core.certificateFor(serverName),
    async authenticate(request, remoteAddr) {
      const accepted = await authenticate(core, request, remoteAddr).catch((error: unknown) => {
        core.failedAuthentications.note('agent', remoteAddr, error);
        throw error;
      });
      edge.holds(accepted.sessionId);
      // It left while control thought about it, and its own word of that came before there was a session.
      if (edge.gone) {
        await sessionEnded(core, accepted.sessionId);
        return accepted;
      }
      // It was ended (its token revoked) before it was known whose edge has it, so nobody could be told.
      if ((await core.registry.getSession(accepted.sessionId)) === null) {
        edge.releases(accepted.sessionId);
        throw fail(300);
      }
      return accepted;
    },
    bind: (sessionId, request) => bind(core, sessionId, request),
    bindLabels: (sessionId, request) => bindLabels(core, sessionId, request),
    unbind: (sessionId, id) => unbind(core, sessionId, id),
    patchTunnel: (sessionId, request) => patchTunnel(core, sessionId, request),
    async sessionEnded(sessionId) {
      edge.releases(sessionId);
      await sessionEnded(core, sessionId);
    },
    login: (event) => core.logins.note(event),
    traffic: (events) => core.traffic?.(events),
  };
  return {
    link,
    async gone() {
      const held = edge.leave();
      const tunnels = await Promise.all(held.map((sessionId) => core.registry.tunnelsOfSession(sessionId)));
      const names = tunnels.flat().flatMap((tunnel) => expectedOf(tunnel, core.now() + core.config.limits.returnMs));
      // Before they are taken out of the routes.
      if (names.length > 0) await core.settings.expect(names, core.now());
      await Promise.all(held.map((sessionId) => sessionEnded(core, sessionId)));
    },
  };
}

function expectedOf({ accountId, endpoint }: TunnelRecord, until: number): readonly ExpectedName[] {
  if (endpoint === null) return [];
  const { binding, scheme, host, port } = endpoint;
  return [{ binding, accountId, proto: scheme, host, port, until }];
}

async function everything(core: Core): Promise<Everything> {
  const routes = await storedRoutes(core);
  for (const account of await core.store.accounts()) {
    for (const tunnel of await core.registry.tunnelsOf(account.id)) {
      const route = routeOfAgent(tunnel);
      if (route !== null) routes.push(route);
    }
  }
  return { routes, resources: [...core.catalog.resources.all()] };
}
