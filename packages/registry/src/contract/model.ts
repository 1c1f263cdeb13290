/** The registry as plainly as it can be said: two lists, every question a scan. The real ones must agree with it. */
import { isDeepStrictEqual } from 'node:util';
import {
  addressKey,
  Overtaken,
  SessionGone,
  type Registry,
  type RegistryPage,
  type SessionRecord,
  type TunnelRecord,
} from '../types.ts';

export function createModelRegistry(): Registry {
  let sessions: SessionRecord[] = [];
  let tunnels: TunnelRecord[] = [];

  const holdersOf = (key: string): TunnelRecord[] =>
    tunnels.filter(({ endpoint, accountId }) => endpoint !== null && addressKey({ ...endpoint, accountId }) === key);

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
    async snapshot(keys) {
      return new Map(keys.map((key) => [key, holdersOf(key)]));
    },
    async apply(changes, fence) {
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
    async holdersOf(key) {
      return holdersOf(key);
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
