import { fail } from '@postern/errors';
import { addressKey, type Snapshot } from '@postern/registry';
import { endpoints } from '@postern/resources';
import type { EndpointRow } from '@postern/store';
import { run } from '../change/change.ts';
import { putOnline, settle } from '../change/confirm.ts';
import { reservationsOf } from '../change/release.ts';
import { unchanged } from '../change/value.ts';
import { lookAt } from '../claims.ts';
import { apiConflictError, conflictWith } from '../rules/conflicts.ts';
import { writtenUrl, type Address } from '../addresses/urls.ts';
import type { Core } from '../core.ts';
import type { Keys } from '../gate/keys.ts';
import { apiReservationError, findFooting, isProblem, type Footing } from '../reservations.ts';
import { checkTexts, refuseEmpty } from '../texts.ts';
import type { Caller, EndpointCreate, EndpointQuery, EndpointUpdate, EndpointView, ResourceService } from '../types.ts';
import { checkCloudPolicy, oneBinding, readAddress } from './endpoint-input.ts';
import { findEndpointRow, listEndpoints } from './endpoint-list.ts';
import { cloudView } from './endpoint-views.ts';

interface Claim extends Footing {
  readonly fence: Snapshot;
}

const NO_FENCE: Snapshot = new Map();

/**
 * The Endpoints API (api.md §4). Cloud endpoints are made and changed here; agent and edge endpoints are listed with
 * them and refuse every change (248).
 */
export function createEndpoints(
  core: Core,
): ResourceService<EndpointView, EndpointCreate, EndpointUpdate, EndpointQuery> {
  const { catalog, store } = core;

  /** Checks the claim on an address; `self` is the row that moves, which is no obstacle to itself. */
  async function claim(accountId: string, address: Address, pooling: boolean, self = ''): Promise<Claim> {
    const footing = findFooting(core, accountId, address);
    if (isProblem(footing)) throw apiReservationError(address, footing);
    const { holders, fence } = await lookAt(core, accountId, address);
    const others = holders.filter((holder) => holder.id !== self);
    const conflict = conflictWith(others, accountId, pooling);
    if (conflict !== null) throw apiConflictError(address.url, accountId, conflict);
    return { ...footing, fence };
  }

  async function create(caller: Caller, input: EndpointCreate): Promise<EndpointView> {
    const { accountId } = caller;
    const { type = '', url = '' } = input;
    if (type !== '' && type !== 'cloud') throw fail(248, { type });
    if (url === '') throw fail(18015, { field: 'url' });
    const address = readAddress(core, url, input.bindings);
    checkTexts(endpoints, input);
    const trafficPolicy = checkCloudPolicy(core, input.trafficPolicy, address);
    const poolingEnabled = input.poolingEnabled ?? false;

    const done = await run(
      core,
      (keys) => keys.address(accountId, address),
      async () => {
        const { writes, domainId, tcpAddrId, fence } = await claim(accountId, address, poolingEnabled);
        const now = core.timestamp();
        const row: EndpointRow = {
          id: core.ids.next('ep'),
          accountId,
          createdAt: now,
          updatedAt: now,
          ...address,
          url: writtenUrl(url),
          poolingEnabled,
          trafficPolicy,
          description: input.description ?? '',
          metadata: input.metadata ?? '',
          domainId,
          tcpAddrId,
          principalId: caller.principal.id,
        };
        return { answer: row, writes: [...writes, store.endpoints.insert(row)], registry: [], fence };
      },
    );
    await putOnline(core, done.answer.url, done);
    return cloudView(core, done.answer);
  }

  /** Not a cloud endpoint: say so if it is one of the others. Nothing changes. */
  async function refuseIfForeign(caller: Caller, id: string): Promise<null> {
    const other = (await findEndpointRow(core, caller.accountId, id))?.view() ?? null;
    if (other !== null) throw fail(248, { type: other.type });
    return null;
  }

  async function update(caller: Caller, id: string, patch: EndpointUpdate): Promise<EndpointView | null> {
    const { accountId } = caller;
    if (catalog.endpoints.owned(accountId, id) === null) return refuseIfForeign(caller, id);
    refuseEmpty(endpoints, patch);
    if (patch.url === '') throw fail(18015, { field: 'url' });
    checkTexts(endpoints, patch);

    const keysOfBoth = (keys: Keys): Keys => {
      const before = catalog.endpoints.owned(accountId, id);
      return before === null ? keys : keysOfRow(keys, before).address(accountId, movedAddress(before, patch));
    };
    const done = await run(core, keysOfBoth, async () => {
      const before = catalog.endpoints.owned(accountId, id);
      if (before === null) return unchanged(null);
      const address = movedAddress(before, patch);
      if (address.scheme !== before.scheme) throw fail(18005, { from: before.scheme, to: address.scheme });
      const trafficPolicy =
        patch.trafficPolicy === undefined && address.binding === before.binding
          ? before.trafficPolicy
          : checkCloudPolicy(core, patch.trafficPolicy ?? before.trafficPolicy, address);
      const poolingEnabled = patch.poolingEnabled ?? before.poolingEnabled;
      const moves = addressKey({ ...address, accountId }) !== addressKey(before);
      const footing =
        moves || poolingEnabled !== before.poolingEnabled
          ? await claim(accountId, address, poolingEnabled, id)
          : { domainId: before.domainId, tcpAddrId: before.tcpAddrId, writes: [], fence: NO_FENCE };
      const change = {
        ...address,
        url: writtenUrl(patch.url ?? before.url),
        updatedAt: core.timestamp(),
        poolingEnabled,
        trafficPolicy,
        description: patch.description ?? before.description,
        metadata: patch.metadata ?? before.metadata,
        domainId: footing.domainId,
        tcpAddrId: footing.tcpAddrId,
      };
      const after: EndpointRow = { ...before, ...change };
      const writes = [...footing.writes, store.endpoints.update(id, change)];
      return { answer: after, writes, registry: [], fence: footing.fence };
    });
    const after = done.answer;
    if (after === null) return null;
    await putOnline(core, after.url, done);
    return cloudView(core, after);
  }

  function movedAddress(row: EndpointRow, patch: EndpointUpdate): Address {
    const bindings = patch.bindings?.length === 0 ? undefined : patch.bindings;
    const binding = oneBinding(bindings);
    const stays = patch.url === undefined || patch.url === row.url;
    // What does not change is not judged again: the operator sends every field with every call.
    if (stays && (binding === null || binding === row.binding)) return addressOfRow(row);
    return readAddress(core, patch.url ?? row.url, bindings ?? keptBinding(row));
  }

  async function remove(caller: Caller, id: string): Promise<boolean> {
    const keysOfOne = (keys: Keys): Keys => {
      const row = catalog.endpoints.owned(caller.accountId, id);
      return row === null ? keys : keysOfRow(keys, row);
    };
    const done = await run(core, keysOfOne, async () => {
      const row = catalog.endpoints.owned(caller.accountId, id);
      return row === null ? unchanged(false) : { answer: true, writes: [store.endpoints.delete(id)], registry: [] };
    });
    if (!done.answer) return (await refuseIfForeign(caller, id)) !== null;
    await settle(core, done.online);
    return true;
  }

  async function get(caller: Caller, id: string): Promise<EndpointView | null> {
    return (await findEndpointRow(core, caller.accountId, id))?.view() ?? null;
  }

  const list = (caller: Caller, query: EndpointQuery) => listEndpoints(core, caller.accountId, query);

  return { create, get, list, update, remove };
}

/** A row that changes or goes, with the reservation that may go with it. */
function keysOfRow(keys: Keys, row: EndpointRow): Keys {
  return keys
    .id(row.id)
    .address(row.accountId, row)
    .reservations(reservationsOf([row]));
}

function addressOfRow({ scheme, binding, host, port, url }: EndpointRow): Address {
  return { scheme, binding, host, port, url };
}

/** kubernetes is never inferred from a host, so a move keeps it; the other two follow from the name. */
function keptBinding(row: EndpointRow): string[] | undefined {
  return row.binding === 'kubernetes' ? ['kubernetes'] : undefined;
}
