import { fail } from '@postern/errors';
import type { Snapshot, TunnelRecord } from '@postern/registry';
import type { EdgeHostport, EdgeRow, EdgeRouteRow, Write } from '@postern/store';
import { hostportAddress } from '../addresses/hostports.ts';
import { describeHostProblem } from '../addresses/hosts.ts';
import { parseEndpointUrl, placeUrl, type Address } from '../addresses/urls.ts';
import { lookAt } from '../claims.ts';
import { describeHolder } from '../rules/conflicts.ts';
import type { Core } from '../core.ts';
import { findFooting, howToReserve, isProblem } from '../reservations.ts';
import type { BackendModule, EdgeRouteInput } from '../types.ts';

type Kind = EdgeRow['kind'];

export interface ClaimedHostports {
  readonly hostports: readonly EdgeHostport[];
  /** Reservations to be made with them. */
  readonly writes: readonly Write[];
  /** Who was at the addresses that are new. */
  readonly fence: Snapshot;
}

/**
 * The hostports of an edge, each a claim like a cloud endpoint's: covered by a reservation, held by nobody else. One
 * that the edge has already keeps its endpoint id. Runs inside the claim step.
 * @throws 7117, 90020, 90022
 */
export async function claimHostports(
  core: Core,
  accountId: string,
  kind: Kind,
  wanted: readonly string[],
  existing: EdgeRow | null,
): Promise<ClaimedHostports> {
  const kept = new Map<string, EdgeHostport>();
  for (const entry of existing?.hostports ?? []) kept.set(hostportAddress(kind, entry.hostport)?.url ?? '', entry);
  const hostports: EdgeHostport[] = [];
  const writes: Write[] = [];
  const fence = new Map<string, readonly TunnelRecord[]>();
  const seen = new Set<string>();
  for (const hostport of wanted) {
    const address = readHostport(core, kind, hostport);
    if (seen.has(address.url)) throw fail(90022, { field: 'hostports', reason: `"${hostport}" is given twice` });
    seen.add(address.url);
    const before = kept.get(address.url);
    if (before !== undefined) {
      hostports.push({ ...before, hostport });
      continue;
    }
    const footing = findFooting(core, accountId, address);
    if (isProblem(footing)) throw fail(7117, { hostport, how: howToReserve(address) });
    const there = await lookAt(core, accountId, address);
    const holder = there.holders.find(({ id }) => id !== existing?.id);
    if (holder !== undefined) throw fail(90020, { hostport, holder: describeHolder(holder, accountId) });
    for (const [key, tunnels] of there.fence) fence.set(key, tunnels);
    writes.push(...footing.writes);
    hostports.push({ hostport, endpointId: core.ids.next('ep'), createdAt: core.timestamp() });
  }
  return { hostports, writes, fence };
}

function readHostport(core: Core, kind: Kind, hostport: string): Address {
  const refused = (reason: string) => fail(90022, { field: 'hostports', reason: `"${hostport}": ${reason}` });
  if (hostport.includes('://')) throw refused('write host:port, without a scheme');
  const parsed = parseEndpointUrl(`${kind}://${hostport}`);
  if (!parsed.ok) throw refused('it is not host:port');
  const placed = placeUrl(parsed.value, 'public', core.config);
  if (placed.ok) return placed.value;
  const { problem } = placed;
  switch (problem.kind) {
    case 'host':
      throw refused(describeHostProblem(problem.problem));
    case 'port-not-allowed':
      throw refused(`port ${problem.port} takes no ${kind} traffic here; use ${problem.allowed}`);
    case 'port-missing':
      throw refused('a tcp hostport needs a port');
    case 'foreign-tcp-host':
      throw refused(`tcp addresses of this server are ${problem.tcpHost}:PORT`);
    case 'internal-as-public':
      throw refused('an edge is public; hosts that end in .internal are not');
    case 'own-name':
      throw refused('it is a name of this server itself');
    default:
      throw refused('it cannot be the hostport of an edge');
  }
}

/** Rows keep '' for no backend. undefined = keep what is there. @throws 223 */
export function readBackend(
  core: Core,
  accountId: string,
  module: BackendModule | null | undefined,
  before: Pick<EdgeRow, 'backendId' | 'backendEnabled'>,
): Pick<EdgeRow, 'backendId' | 'backendEnabled'> {
  if (module === undefined) return { backendId: before.backendId, backendEnabled: before.backendEnabled };
  // Clients that send every field send the module without an id where there is none.
  if (module === null || module.backendId === '') return { backendId: '', backendEnabled: false };
  if (core.catalog.backends.owned(accountId, module.backendId) === null) {
    throw fail(223, { field: 'backend.backend_id', id: module.backendId });
  }
  return { backendId: module.backendId, backendEnabled: module.enabled };
}

export function backendModule(row: Pick<EdgeRow, 'backendId' | 'backendEnabled'>): BackendModule | null {
  return row.backendId === '' ? null : { enabled: row.backendEnabled, backendId: row.backendId };
}

/** @throws 18015, 90022 */
export function readMatch(
  core: Core,
  edgeId: string,
  input: EdgeRouteInput,
  before: EdgeRouteRow | null,
): Pick<EdgeRouteRow, 'matchType' | 'match'> {
  const matchType = input.matchType || (before?.matchType ?? '');
  const match = input.match || (before?.match ?? '');
  if (matchType === '') throw fail(18015, { field: 'match_type' });
  if (matchType !== 'exact_path' && matchType !== 'path_prefix') {
    throw fail(90022, { field: 'match_type', reason: `"${matchType}" is not one of exact_path, path_prefix` });
  }
  if (match === '') throw fail(18015, { field: 'match' });
  if (!match.startsWith('/')) throw fail(90022, { field: 'match', reason: `"${match}" does not begin with a slash` });
  const twin = core.catalog.routesOf(edgeId).find((route) => route.matchType === matchType && route.match === match);
  if (twin !== undefined && twin.id !== before?.id) {
    throw fail(90022, { field: 'match', reason: `the route ${twin.id} matches the same` });
  }
  return { matchType, match };
}
