/** The registry as plainly as it can be said: two lists, every question a scan. The real ones must agree with it. */
import { isDeepStrictEqual } from 'node:util';
import {
  addressKey,
  type Cluster,
  NodeFenced,
  type NodeRef,
  Overtaken,
  SessionGone,
  type Registry,
  type RegistryPage,
  type SessionRecord,
  type TunnelRecord,
} from '../types.ts';

interface Lease {
  readonly node: NodeRef;
  readonly endsAt: number;
}

export function createModelRegistry(now: () => number, leaseMs: number): Cluster {
  let sessions: SessionRecord[] = [];
  let tunnels: TunnelRecord[] = [];
  /** The newest epoch of each node that ever was, and those that are not gone. */
  const epochs = new Map<string, number>();
  let leases: Lease[] = [];

  /** What is left when only these nodes are. */
  function keep(left: readonly Lease[]): void {
    leases = [...left];
    sessions = sessions.filter((session) => left.some(({ node }) => isDeepStrictEqual(node, session.node)));
    tunnels = tunnels.filter((tunnel) => sessions.some(({ id }) => id === tunnel.sessionId));
  }

  const lookFrom = (looking: NodeRef): void =>
    keep(leases.filter(({ node, endsAt }) => node.id === looking.id || now() < endsAt));

  function check(node: NodeRef): void {
    if (!leases.some((lease) => isDeepStrictEqual(lease.node, node))) throw new NodeFenced(node);
  }

  const holdersOf = (key: string): TunnelRecord[] =>
    tunnels.filter(({ endpoint, accountId }) => endpoint !== null && addressKey({ ...endpoint, accountId }) === key);

  const asSeenBy = (node: NodeRef): Registry => ({
    node,
    leaseMs,
    async renew() {
      check(node);
      leases = leases.map((lease) => (lease.node.id === node.id ? { node, endsAt: now() + leaseMs } : lease));
    },
    async addSession(session) {
      lookFrom(node);
      check(node);
      sessions = byId([...sessions.filter(({ id }) => id !== session.id), session]);
    },
    async getSession(id) {
      lookFrom(node);
      return sessions.find((session) => session.id === id) ?? null;
    },
    async sessionsOf(accountId) {
      lookFrom(node);
      return sessions.filter((session) => session.accountId === accountId);
    },
    async sessionsBefore(accountId, page) {
      lookFrom(node);
      return pageOf(
        sessions.filter((session) => session.accountId === accountId),
        page,
      );
    },
    async findSession(accountId, clientId, legNumber) {
      lookFrom(node);
      const found = sessions.filter(
        (session) =>
          clientId !== '' &&
          session.accountId === accountId &&
          session.clientId === clientId &&
          session.legNumber === legNumber,
      );
      return found.at(-1) ?? null;
    },
    async snapshot(keys) {
      lookFrom(node);
      return new Map(keys.map((key) => [key, holdersOf(key)]));
    },
    async apply(changes, fence) {
      lookFrom(node);
      check(node);
      for (const [key, seen] of fence) if (!isDeepStrictEqual(holdersOf(key), seen)) throw new Overtaken(key);
      const [before, beforeSessions] = [tunnels, sessions];
      for (const change of changes) {
        if (change.op === 'put') {
          const { tunnel } = change;
          if (!sessions.some(({ id }) => id === tunnel.sessionId)) {
            [tunnels, sessions] = [before, beforeSessions];
            throw new SessionGone(tunnel.sessionId);
          }
          tunnels = byId([...tunnels.filter(({ id }) => id !== tunnel.id), tunnel]);
        } else if (change.op === 'remove') tunnels = tunnels.filter(({ id }) => id !== change.id);
        else {
          tunnels = tunnels.filter(({ sessionId }) => sessionId !== change.sessionId);
          sessions = sessions.filter(({ id }) => id !== change.sessionId);
        }
      }
    },
    async getTunnel(id) {
      lookFrom(node);
      return tunnels.find((tunnel) => tunnel.id === id) ?? null;
    },
    async findTunnel(sessionId, bindId) {
      lookFrom(node);
      return tunnels.filter((tunnel) => tunnel.sessionId === sessionId && tunnel.bindId === bindId).at(-1) ?? null;
    },
    async tunnelsOf(accountId) {
      lookFrom(node);
      return tunnels.filter((tunnel) => tunnel.accountId === accountId);
    },
    async tunnelsBefore(accountId, page) {
      lookFrom(node);
      return pageOf(
        tunnels.filter((tunnel) => tunnel.accountId === accountId),
        page,
      );
    },
    async tunnelsOfSession(sessionId) {
      lookFrom(node);
      return tunnels.filter((tunnel) => tunnel.sessionId === sessionId);
    },
    async holdersOf(key) {
      lookFrom(node);
      return holdersOf(key);
    },
    async tunnelsWithLabels(accountId, labels) {
      lookFrom(node);
      return tunnels.filter((tunnel) => {
        const own = new Map(Object.entries(tunnel.labels ?? {}));
        return (
          tunnel.labels !== null &&
          tunnel.accountId === accountId &&
          Object.entries(labels).every(([name, value]) => own.get(name) === value)
        );
      });
    },
  });

  return {
    async join(id) {
      const epoch = (epochs.get(id) ?? 0) + 1;
      epochs.set(id, epoch);
      const node = { id, epoch };
      keep([...leases.filter((lease) => lease.node.id !== id), { node, endsAt: now() + leaseMs }]);
      return asSeenBy(node);
    },
  };
}

function pageOf<R extends { readonly id: string }>(records: readonly R[], { beforeId, limit }: RegistryPage): R[] {
  return records
    .filter(({ id }) => beforeId === '' || id < beforeId)
    .toReversed()
    .slice(0, limit);
}

function byId<R extends { readonly id: string }>(records: readonly R[]): R[] {
  return records.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
