import { fail } from '@postern/errors';
import { pickPort } from '../agents/choose.ts';
import { usersOfAddr } from '../users.ts';
import type { HooksOf } from './hooks.ts';
import { checkRegion } from './reserved-domains.ts';

/** TCP addresses; the server picks the port (api.md §6, reserved_addrs). */
export const reservedAddrs: HooksOf<'reservedAddrs'> = (core) => {
  const { catalog, config } = core;
  return {
    rows: catalog.addrs,
    keys: { create: () => (keys) => keys.allPorts(), change: (id) => (keys) => keys.reservations([id]) },
    check: checkRegion,
    async make(head, { description = '', metadata = '', region = '' }) {
      const { first, last } = config.tcpPortRange;
      const ports = Array.from({ length: last - first + 1 }, (_, step) => first + step);
      const port = await pickPort(core, head.accountId, ports);
      if (port === null) throw fail(503, { range: `${first}-${last}` });
      const patch = { description, metadata, region, automatic: false };
      const addr = `${config.tcpHost}:${port}`;
      // The last free port may be one whose agent left and that is not given back yet.
      const existing = catalog.addrs.at(addr)[0];
      return existing === undefined
        ? { row: { ...head, addr, port, ...patch } }
        : { row: { ...existing, ...patch }, patch };
    },
    // Whoever writes to it wants to keep it.
    change: (patch) => ({ ...patch, automatic: false }),
    viewer:
      () =>
      ({ id, createdAt, description, metadata, addr, region }) => ({
        id,
        createdAt,
        description,
        metadata,
        addr,
        region: region || config.region,
      }),
    usedBy: { users: (row) => usersOfAddr(core, row), error: ({ addr }, users) => fail(90026, { addr, users }) },
  };
};
