import { fail } from '@postern/errors';
import type { ReservedAddrRow } from '@postern/store';
import { pickPort } from '../agents/choose.ts';
import type { Core } from '../core.ts';
import { withKeys } from '../gate/keys.ts';
import { checkLength, DESCRIPTION_BYTES, isEmptyPatch, METADATA_BYTES } from '../texts.ts';
import type { ReservedAddrCreate, ReservedAddrUpdate, ReservedAddrView, ResourceService } from '../types.ts';
import { pageOf } from './paging.ts';
import { summarise, usersOfAddr } from '../users.ts';
import { checkRegion } from './reserved-domains.ts';

/** TCP addresses; the server picks the port (api.md §6, reserved_addrs). */
export function createReservedAddrs(
  core: Core,
): ResourceService<ReservedAddrView, ReservedAddrCreate, ReservedAddrUpdate> {
  const { catalog, store, config } = core;

  function view({ id, createdAt, description, metadata, addr, region }: ReservedAddrRow): ReservedAddrView {
    return { id, createdAt, description, metadata, addr, region: region || config.region };
  }

  return {
    async create(caller, input) {
      checkRegion(input.region);
      checkLength(input.description, DESCRIPTION_BYTES, 504);
      checkLength(input.metadata, METADATA_BYTES, 505);
      return withKeys(
        core,
        (keys) => keys.allPorts(),
        async () => {
          const { first, last } = config.tcpPortRange;
          const ports = Array.from({ length: last - first + 1 }, (_, step) => first + step);
          const port = await pickPort(core, caller.accountId, ports);
          if (port === null) throw fail(503, { range: `${first}-${last}` });
          const { description = '', metadata = '', region = '' } = input;
          const change = { description, metadata, region, automatic: false };
          const addr = `${config.tcpHost}:${port}`;
          // The last free port may be one whose agent left and that is not given back yet.
          const existing = catalog.addrs.at(addr)[0];
          if (existing !== undefined) {
            await catalog.commit([store.reservedAddrs.update(existing.id, change)]);
            return view({ ...existing, ...change });
          }
          const id = core.ids.next('ra');
          const row: ReservedAddrRow = {
            id,
            accountId: caller.accountId,
            createdAt: core.timestamp(),
            addr,
            port,
            ...change,
          };
          await catalog.commit([store.reservedAddrs.insert(row)]);
          return view(row);
        },
      );
    },

    async get(caller, id) {
      const row = catalog.addrs.owned(caller.accountId, id);
      return row === null ? null : view(row);
    },

    async list(caller, { beforeId, limit }) {
      return pageOf(catalog.addrs.list(caller.accountId, beforeId, limit + 1), limit, view);
    },

    async update(caller, id, patch) {
      if (catalog.addrs.owned(caller.accountId, id) === null) return null;
      if (isEmptyPatch(patch)) throw fail(506);
      checkRegion(patch.region);
      checkLength(patch.description, DESCRIPTION_BYTES, 504);
      checkLength(patch.metadata, METADATA_BYTES, 505);
      return withKeys(
        core,
        (keys) => keys.reservations([id]),
        async () => {
          const row = catalog.addrs.owned(caller.accountId, id);
          if (row === null) return null;
          const { description = row.description, metadata = row.metadata, region = row.region } = patch;
          const change = { description, metadata, region, automatic: false };
          await catalog.commit([store.reservedAddrs.update(id, change)]);
          return view({ ...row, ...change });
        },
      );
    },

    remove: (caller, id) =>
      withKeys(
        core,
        (keys) => keys.reservations([id]),
        async () => {
          const row = catalog.addrs.owned(caller.accountId, id);
          if (row === null) return false;
          const users = await usersOfAddr(core, row);
          if (users.length > 0) throw fail(90026, { addr: row.addr, users: summarise(users) });
          await catalog.commit([store.reservedAddrs.delete(id)]);
          return true;
        },
      ),
  };
}
