/** The registry of one process: plain maps, and an index for every question that is asked, so that none scans. */
import { Leases } from './leases.ts';
import { RecordIndex } from './record-index.ts';
import {
  addressKey,
  type Cluster,
  type NodeRef,
  Overtaken,
  SessionGone,
  type Registry,
  type RegistryChange,
  type SessionRecord,
  type Snapshot,
  type TunnelRecord,
} from './types.ts';

export interface MemoryRegistryOptions {
  /** Milliseconds, for the leases. */
  readonly now: () => number;
  readonly leaseMs?: number;
}

/** Long for a process that stands still, short for whoever waits for what it held. */
const LEASE_MS = 30_000;

export function createMemoryRegistry({ now, leaseMs = LEASE_MS }: MemoryRegistryOptions): Cluster {
  const leases = new Leases(now, leaseMs);
  const sessions = new Map<string, SessionRecord>();
  const sessionsByNode = new RecordIndex<SessionRecord>();
  const sessionsByAccount = new RecordIndex<SessionRecord>();
  const sessionsByLeg = new RecordIndex<SessionRecord>();

  const tunnels = new Map<string, TunnelRecord>();
  const tunnelsByAccount = new RecordIndex<TunnelRecord>();
  const tunnelsBySession = new RecordIndex<TunnelRecord>();
  const tunnelsByBind = new RecordIndex<TunnelRecord>();
  const tunnelsByAddress = new RecordIndex<TunnelRecord>();
  const tunnelsByLabel = new RecordIndex<TunnelRecord>();

  function indexesOf(tunnel: TunnelRecord): (readonly [RecordIndex<TunnelRecord>, string])[] {
    const entries: (readonly [RecordIndex<TunnelRecord>, string])[] = [
      [tunnelsByAccount, tunnel.accountId],
      [tunnelsBySession, tunnel.sessionId],
      [tunnelsByBind, key(tunnel.sessionId, tunnel.bindId)],
    ];
    if (tunnel.endpoint !== null) {
      entries.push([tunnelsByAddress, addressKey({ ...tunnel.endpoint, accountId: tunnel.accountId })]);
    }
    if (tunnel.labels !== null) {
      entries.push([tunnelsByLabel, key(tunnel.accountId)]);
      for (const [name, value] of Object.entries(tunnel.labels)) {
        entries.push([tunnelsByLabel, key(tunnel.accountId, name, value)]);
      }
    }
    return entries;
  }

  function dropTunnel(id: string): void {
    const tunnel = tunnels.get(id);
    if (tunnel === undefined) return;
    tunnels.delete(id);
    for (const [index, at] of indexesOf(tunnel)) index.remove(at, id);
  }

  function putTunnel(tunnel: TunnelRecord): void {
    dropTunnel(tunnel.id);
    tunnels.set(tunnel.id, tunnel);
    for (const [index, at] of indexesOf(tunnel)) index.add(at, tunnel);
  }

  /** @throws SessionGone, Overtaken */
  function check(changes: readonly RegistryChange[], fence: Snapshot): void {
    for (const [address, seen] of fence) {
      const there = tunnelsByAddress.all(address);
      if (there.length !== seen.length || there.some((tunnel, at) => tunnel !== seen[at])) throw new Overtaken(address);
    }
    const ended = new Set<string>();
    for (const change of changes) {
      if (change.op === 'end') ended.add(change.sessionId);
      if (change.op !== 'put') continue;
      const { sessionId } = change.tunnel;
      if (!sessions.has(sessionId) || ended.has(sessionId)) throw new SessionGone(sessionId);
    }
  }

  function dropSession(id: string): void {
    const session = sessions.get(id);
    if (session === undefined) return;
    sessions.delete(id);
    sessionsByNode.remove(nodeKey(session.node), id);
    sessionsByAccount.remove(session.accountId, id);
    sessionsByLeg.remove(legKey(session.accountId, session.clientId, session.legNumber), id);
  }

  function endSession(id: string): void {
    for (const tunnel of tunnelsBySession.all(id)) dropTunnel(tunnel.id);
    dropSession(id);
  }

  function endSessionsOf(node: NodeRef): void {
    for (const { id } of sessionsByNode.all(nodeKey(node))) endSession(id);
  }

  /** Before each question: what nodes beside this one have left behind goes. */
  const lookFrom = (node: NodeRef): void => leases.endedBeside(node).forEach(endSessionsOf);

  const asSeenBy = (node: NodeRef, look = () => lookFrom(node)): Registry => ({
    node,
    leaseMs,
    async renew() {
      leases.renew(node);
    },
    async addSession(session) {
      look();
      leases.check(node);
      if (nodeKey(session.node) !== nodeKey(node)) throw new TypeError(`${session.id} is not of the node ${node.id}`);
      dropSession(session.id);
      sessions.set(session.id, session);
      sessionsByNode.add(nodeKey(session.node), session);
      sessionsByAccount.add(session.accountId, session);
      sessionsByLeg.add(legKey(session.accountId, session.clientId, session.legNumber), session);
    },
    async getSession(id) {
      look();
      return sessions.get(id) ?? null;
    },
    async sessionsOf(accountId) {
      look();
      return sessionsByAccount.all(accountId);
    },
    async sessionsBefore(accountId, { beforeId, limit }) {
      look();
      return sessionsByAccount.before(accountId, beforeId, limit);
    },
    async findSession(accountId, clientId, legNumber) {
      look();
      return clientId === '' ? null : sessionsByLeg.newest(legKey(accountId, clientId, legNumber));
    },

    async snapshot(keys) {
      look();
      return new Map(keys.map((address) => [address, tunnelsByAddress.all(address)]));
    },
    async apply(changes, fence) {
      look();
      leases.check(node);
      check(changes, fence);
      for (const change of changes) {
        if (change.op === 'put') putTunnel(change.tunnel);
        else if (change.op === 'remove') dropTunnel(change.id);
        else endSession(change.sessionId);
      }
    },
    async getTunnel(id) {
      look();
      return tunnels.get(id) ?? null;
    },
    async findTunnel(sessionId, bindId) {
      look();
      return tunnelsByBind.newest(key(sessionId, bindId));
    },
    async tunnelsOf(accountId) {
      look();
      return tunnelsByAccount.all(accountId);
    },
    async tunnelsBefore(accountId, { beforeId, limit }) {
      look();
      return tunnelsByAccount.before(accountId, beforeId, limit);
    },
    async tunnelsOfSession(sessionId) {
      look();
      return tunnelsBySession.all(sessionId);
    },
    async holdersOf(address) {
      look();
      return tunnelsByAddress.all(address);
    },
    async tunnelsWithLabels(accountId, labels) {
      look();
      const wanted = Object.entries(labels);
      // The rarest label leaves the fewest tunnels to look at.
      let rarest = key(accountId);
      for (const [name, value] of wanted) {
        const at = key(accountId, name, value);
        if (tunnelsByLabel.count(at) < tunnelsByLabel.count(rarest)) rarest = at;
      }
      return tunnelsByLabel.all(rarest).filter((tunnel) => carries(tunnel, wanted));
    },
  });

  return {
    async join(nodeId) {
      const { node, earlier } = leases.join(nodeId);
      if (earlier !== null) endSessionsOf(earlier);
      return asSeenBy(node);
    },
  };
}

function carries(tunnel: TunnelRecord, wanted: readonly (readonly [string, string])[]): boolean {
  const own = tunnel.labels;
  return own !== null && wanted.every(([name, value]) => Object.hasOwn(own, name) && own[name] === value);
}

function nodeKey({ id, epoch }: NodeRef): string {
  return key(id, String(epoch));
}

function legKey(accountId: string, clientId: string, legNumber: number): string {
  return key(accountId, clientId, String(legNumber));
}

/** One text of several, such that no two lists make the same one: parts come from agents and may hold anything. */
function key(...parts: readonly string[]): string {
  return parts.map((part) => `${part.length}:${part}`).join('');
}
