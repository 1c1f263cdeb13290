/** The registry of one node: plain maps, and an index for every question that is asked, so that none scans. */
import { RecordIndex } from './record-index.ts';
import {
  addressKey,
  Overtaken,
  SessionGone,
  type Registry,
  type RegistryChange,
  type SessionRecord,
  type Snapshot,
  type TunnelRecord,
} from './types.ts';

export function createMemoryRegistry(): Registry {
  const sessions = new Map<string, SessionRecord>();
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
      const now = tunnelsByAddress.all(address);
      if (now.length !== seen.length || now.some((tunnel, at) => tunnel !== seen[at])) throw new Overtaken(address);
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
    sessionsByAccount.remove(session.accountId, id);
    sessionsByLeg.remove(legKey(session.accountId, session.clientId, session.legNumber), id);
  }

  return {
    async addSession(session) {
      dropSession(session.id);
      sessions.set(session.id, session);
      sessionsByAccount.add(session.accountId, session);
      sessionsByLeg.add(legKey(session.accountId, session.clientId, session.legNumber), session);
    },
    async getSession(id) {
      return sessions.get(id) ?? null;
    },
    async sessionsOf(accountId) {
      return sessionsByAccount.all(accountId);
    },
    async sessionsBefore(accountId, { beforeId, limit }) {
      return sessionsByAccount.before(accountId, beforeId, limit);
    },
    async findSession(accountId, clientId, legNumber) {
      return clientId === '' ? null : sessionsByLeg.newest(legKey(accountId, clientId, legNumber));
    },

    async snapshot(keys) {
      return new Map(keys.map((address) => [address, tunnelsByAddress.all(address)]));
    },
    async apply(changes, fence) {
      check(changes, fence);
      for (const change of changes) {
        if (change.op === 'put') putTunnel(change.tunnel);
        else if (change.op === 'remove') dropTunnel(change.id);
        else {
          for (const { id } of tunnelsBySession.all(change.sessionId)) dropTunnel(id);
          dropSession(change.sessionId);
        }
      }
    },
    async getTunnel(id) {
      return tunnels.get(id) ?? null;
    },
    async findTunnel(sessionId, bindId) {
      return tunnelsByBind.newest(key(sessionId, bindId));
    },
    async tunnelsOf(accountId) {
      return tunnelsByAccount.all(accountId);
    },
    async tunnelsBefore(accountId, { beforeId, limit }) {
      return tunnelsByAccount.before(accountId, beforeId, limit);
    },
    async tunnelsOfSession(sessionId) {
      return tunnelsBySession.all(sessionId);
    },
    async holdersOf(address) {
      return tunnelsByAddress.all(address);
    },
    async tunnelsWithLabels(accountId, labels) {
      const wanted = Object.entries(labels);
      // The rarest label leaves the fewest tunnels to look at.
      let rarest = key(accountId);
      for (const [name, value] of wanted) {
        const at = key(accountId, name, value);
        if (tunnelsByLabel.count(at) < tunnelsByLabel.count(rarest)) rarest = at;
      }
      return tunnelsByLabel.all(rarest).filter((tunnel) => carries(tunnel, wanted));
    },
  };
}

function carries(tunnel: TunnelRecord, wanted: readonly (readonly [string, string])[]): boolean {
  const own = tunnel.labels;
  return own !== null && wanted.every(([name, value]) => Object.hasOwn(own, name) && own[name] === value);
}

function legKey(accountId: string, clientId: string, legNumber: number): string {
  return key(accountId, clientId, String(legNumber));
}

/** One text of several, such that no two lists make the same one: parts come from agents and may hold anything. */
function key(...parts: readonly string[]): string {
  return parts.map((part) => `${part.length}:${part}`).join('');
}
