/** The registry as plainly as it can be said: two lists, every question a scan. The real ones must agree with it. */
import {
  addressKey,
  SessionGone,
  type Registry,
  type RegistryPage,
  type SessionRecord,
  type TunnelRecord,
} from '../types.ts';

export function createModelRegistry(): Registry {
  let sessions: SessionRecord[] = [];
  let tunnels: TunnelRecord[] = [];

  return {
    async addSession(session) {
      sessions = byId([...sessions.filter(({ id }) => id !== session.id), session]);
    },
    async getSession(id) {
      return sessions.find((session) => session.id === id) ?? null;
    },
    async sessionsOf(accountId) {
      return sessions.filter((session) => session.accountId === accountId);
    },
    async sessionsBefore(accountId, page) {
      return pageOf(
        sessions.filter((session) => session.accountId === accountId),
        page,
      );
    },
    async removeSession(id) {
      const gone = tunnels.filter((tunnel) => tunnel.sessionId === id);
      tunnels = tunnels.filter((tunnel) => tunnel.sessionId !== id);
      sessions = sessions.filter((session) => session.id !== id);
      return gone;
    },
    async findSession(accountId, clientId, legNumber) {
      const found = sessions.filter(
        (session) =>
          clientId !== '' &&
          session.accountId === accountId &&
          session.clientId === clientId &&
          session.legNumber === legNumber,
      );
      return found.at(-1) ?? null;
    },
    async putTunnel(tunnel) {
      if (!sessions.some(({ id }) => id === tunnel.sessionId)) throw new SessionGone(tunnel.sessionId);
      tunnels = byId([...tunnels.filter(({ id }) => id !== tunnel.id), tunnel]);
    },
    async getTunnel(id) {
      return tunnels.find((tunnel) => tunnel.id === id) ?? null;
    },
    async findTunnel(sessionId, bindId) {
      return tunnels.filter((tunnel) => tunnel.sessionId === sessionId && tunnel.bindId === bindId).at(-1) ?? null;
    },
    async tunnelsOf(accountId) {
      return tunnels.filter((tunnel) => tunnel.accountId === accountId);
    },
    async tunnelsBefore(accountId, page) {
      return pageOf(
        tunnels.filter((tunnel) => tunnel.accountId === accountId),
        page,
      );
    },
    async tunnelsOfSession(sessionId) {
      return tunnels.filter((tunnel) => tunnel.sessionId === sessionId);
    },
    async removeTunnel(id) {
      const tunnel = tunnels.find((candidate) => candidate.id === id) ?? null;
      tunnels = tunnels.filter((candidate) => candidate.id !== id);
      return tunnel;
    },
    async holdersOf(key) {
      return tunnels.filter(
        ({ endpoint, accountId }) => endpoint !== null && addressKey({ ...endpoint, accountId }) === key,
      );
    },
    async tunnelsWithLabels(accountId, labels) {
      return tunnels.filter((tunnel) => {
        const own = new Map(Object.entries(tunnel.labels ?? {}));
        return (
          tunnel.labels !== null &&
          tunnel.accountId === accountId &&
          Object.entries(labels).every(([name, value]) => own.get(name) === value)
        );
      });
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
