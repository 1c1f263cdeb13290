/** The change that takes another one back, worked out from what was there before it. */
import { isDeepStrictEqual } from 'node:util';
import type { RegistryChange, TunnelRecord } from '@postern/registry';
import type { EdgeRow, TableName, Tables, Write } from '@postern/store';
import { hostportAddress } from '../addresses/hostports.ts';
import type { Address } from '../addresses/urls.ts';
import { lookAt } from '../claims.ts';
import { conflictWith } from '../rules/conflicts.ts';
import type { Core } from '../core.ts';
import { findFooting, isProblem } from '../reservations.ts';
import type { Released } from './release.ts';
import type { Change } from './value.ts';
import { idOf, type Seen } from './touched.ts';

export interface Applied {
  readonly change: Change;
  readonly before: Seen;
  readonly after: Seen;
  /** The automatic reservations that it gave back. */
  readonly released: readonly Released[];
}

/**
 * Inside a step that has everything alone. Whatever somebody has changed since stays as it is now, and nothing returns
 * to an address that has another holder or owner by now. Reservations that the change made go with their last user
 * when it is carried out; those that it gave back are made again for the rows that rest on them.
 */
export async function inverseOf(core: Core, applied: Applied): Promise<Change> {
  const fence: Fence = new Map();
  const undone = await rowsBack(core, applied, fence);
  const comesBack = undone.some(({ op }) => op !== 'delete');
  const remade = comesBack ? applied.released.filter((gone) => reservedNow(core, gone) === null) : [];
  const again = remade.map(({ table, row }): Write => ({ op: 'insert', table, row }));
  return {
    writes: [...again, ...undone.map((write) => repointed(core, write, applied.released))],
    registry: await tunnelsBack(core, applied),
    fence,
  };
}

/** Who is at the addresses that rows come back to. */
type Fence = Map<string, readonly TunnelRecord[]>;

async function rowsBack(core: Core, { change, before, after }: Applied, fence: Fence): Promise<Write[]> {
  const writes: Write[] = [];
  for (const write of change.writes.toReversed()) {
    const { table } = write;
    const id = idOf(write);
    const now = core.catalog.row(table, id);
    const was = before.rows[table].get(id) ?? null;
    const taken = (): Promise<boolean> => isTaken(core, before, table, id, fence);
    if (was === null) {
      // A reservation that was made for a claim goes with its last user, who may be somebody else by now.
      if (now === null || table === 'reservedDomains' || table === 'reservedAddrs') continue;
      if (table === 'edges')
        writes.push(...core.catalog.routesOf(id).map((route) => core.store.edgeRoutes.delete(route.id)));
      writes.push({ op: 'delete', table, id });
    } else if (write.op === 'delete') {
      if (now === null && !(await taken())) writes.push({ op: 'insert', table, row: was });
    } else {
      const patch = patchBack(was, after.rows[table].get(id) ?? null, now);
      if (patch !== null && !(await taken())) writes.push({ op: 'update', table, id, patch });
    }
  }
  return writes;
}

/** Only what a change of the same session replaced comes back; what gave way to it was told so. */
async function tunnelsBack(core: Core, { change, before }: Applied): Promise<RegistryChange[]> {
  const steps: RegistryChange[] = [];
  const gone = new Set(change.registry.flatMap((step) => (step.op === 'remove' ? [step.id] : [])));
  for (const step of change.registry) {
    if (step.op !== 'put') continue;
    const { id, sessionId } = step.tunnel;
    const now = await core.registry.getTunnel(id);
    if (now?.sessionId !== sessionId) continue;
    const was = before.tunnels.get(id);
    if (was === undefined || was.sessionId !== sessionId || gone.has(id)) steps.push({ op: 'remove', id });
    else if (isDeepStrictEqual(now, step.tunnel)) steps.push({ op: 'put', tunnel: was });
  }
  return steps;
}

/** The fields that the change set, as they were; null = nothing, or somebody went on from there. */
function patchBack<R extends Tables[TableName]>(before: R, after: R | null, now: R | null): Partial<R> | null {
  if (after === null || now === null) return null;
  const changed = fieldsOf(before).filter((field) => !isDeepStrictEqual(before[field], after[field]));
  const kept = changed.filter((field) => isDeepStrictEqual(now[field], after[field]));
  // When a row was last written is no more than a note on it: others write it without minding what else is there.
  if (changed.some((field) => field !== 'updatedAt' && !kept.includes(field))) return null;
  const patch: Partial<R> = {};
  for (const field of kept) patch[field] = before[field];
  return kept.length === 0 ? null : patch;
}

function fieldsOf<R extends object>(row: R): (keyof R)[] {
  // The keys of a row are those of its type: the store makes it so.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.keys(row) as (keyof R)[];
}

/** Whether an address that the row had then is somebody else's by now. */
async function isTaken(core: Core, { rows }: Seen, table: TableName, id: string, fence: Fence): Promise<boolean> {
  const domain = table === 'reservedDomains' ? rows.reservedDomains.get(id) : undefined;
  if (domain !== undefined) return (reservedNow(core, { table: 'reservedDomains', row: domain }) ?? id) !== id;
  const addr = table === 'reservedAddrs' ? rows.reservedAddrs.get(id) : undefined;
  if (addr !== undefined) return (reservedNow(core, { table: 'reservedAddrs', row: addr }) ?? id) !== id;
  const endpoint = table === 'endpoints' ? rows.endpoints.get(id) : undefined;
  const edge = table === 'edges' ? rows.edges.get(id) : undefined;
  const { accountId = '' } = endpoint ?? edge ?? {};
  for (const address of endpoint === undefined ? edgeAddresses(edge) : [endpoint]) {
    const footing = findFooting(core, accountId, address);
    if (isProblem(footing) && footing.kind === 'taken') return true;
    const there = await lookAt(core, accountId, address);
    for (const [key, seen] of there.fence) fence.set(key, seen);
    const others = there.holders.filter((holder) => holder.id !== id);
    if (conflictWith(others, accountId, endpoint?.poolingEnabled ?? false) !== null) return true;
  }
  return false;
}

function edgeAddresses(edge: EdgeRow | undefined): Address[] {
  return edge === undefined ? [] : edge.hostports.flatMap(({ hostport }) => hostportAddress(edge.kind, hostport) ?? []);
}

/** Who reserved the same since, or null. */
function reservedNow(core: Core, { table, row }: Released): string | null {
  const { domains, addrs } = core.catalog;
  return (table === 'reservedDomains' ? domains.at(row.domain) : addrs.at(row.addr))[0]?.id ?? null;
}

/** A row that comes back rests on the reservation that is there now. */
function repointed(core: Core, write: Write, released: readonly Released[]): Write {
  if (write.op !== 'update' || write.table !== 'endpoints') return write;
  const patch: Partial<Record<'domainId' | 'tcpAddrId', string>> & Partial<Tables[TableName]> = { ...write.patch };
  for (const gone of released) {
    const now = reservedNow(core, gone);
    if (now === null) continue;
    if (patch.domainId === gone.row.id) patch.domainId = now;
    if (patch.tcpAddrId === gone.row.id) patch.tcpAddrId = now;
  }
  return { ...write, patch };
}
