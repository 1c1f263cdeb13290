import { fail } from '@postern/errors';
import type { BindRequest } from '@postern/protocol';
import { addressKey, mayTakeOver, type SessionRecord, type TunnelRecord } from '@postern/registry';
import { addressOf, visitorView, type Address } from '../addresses/urls.ts';
import { reservationsOf } from '../change/release.ts';
import { type Decision, unchanged } from '../change/value.ts';
import { lookAt } from '../claims.ts';
import { agentConflictError, conflictWith, type Holder } from '../rules/conflicts.ts';
import type { Core } from '../core.ts';
import type { Keys } from '../gate/keys.ts';
import { checkAcl, chooseAddress, isFree, footingFor } from './choose.ts';
import type { ReadOptions } from './options.ts';
import type { Resumed } from './resume-token.ts';
import type { Wanted } from './wanted.ts';

export interface BindPlan {
  readonly sessionId: string;
  readonly acl: readonly string[];
  readonly request: BindRequest;
  readonly wanted: Wanted;
  readonly options: ReadOptions;
  readonly resumed: Resumed | null;
  readonly principalId: string;
}

export interface Claimed {
  readonly tunnel: TunnelRecord;
  readonly address: Address;
  /** The port was ours to choose, so another one is as good. */
  readonly random: boolean;
  /** The name or port was ours to choose, now or when the token was made. */
  readonly generated: boolean;
}

export type ClaimOutcome =
  /** What was chosen is not free any more: to be chosen anew. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'claimed'; readonly claimed: Claimed }
  /** In the way, but perhaps dead: to be probed before the claim is tried again. */
  | { readonly kind: 'suspects'; readonly sessionIds: readonly string[] };

/** Which address a bind is for. */
export interface Target {
  readonly address: Address;
  /** It was ours to choose. */
  readonly random: boolean;
}

/** The address that is asked for or comes back, else a free one. @throws 316, 356, 503 */
export async function findTarget(
  core: Core,
  plan: BindPlan,
  accountId: string,
  busyPorts: ReadonlySet<number>,
): Promise<Target> {
  const known = plan.wanted.address ?? resumedAddress(plan, busyPorts);
  if (known !== null) return { address: known, random: false };
  return { address: await chooseAddress(core, accountId, plan.wanted.scheme, plan.acl, busyPorts), random: true };
}

/** The address, who is there now, and where the endpoint of the resume token is. */
export async function keysOfClaim(
  core: Core,
  keys: Keys,
  { sessionId, resumed }: BindPlan,
  accountId: string,
  { address }: Target,
): Promise<Keys> {
  keys.id(sessionId).address(accountId, address);
  const there = await core.registry.holdersOf(addressKey({ ...address, accountId }));
  const own = resumed === null ? null : await core.registry.getTunnel(tunnelIdOf(resumed.endpointId));
  if (resumed !== null) keys.id(resumed.endpointId);
  const displaced = own === null ? there : [...there, own];
  return keys.tunnels(displaced).reservations(reservationsOf(displaced.map(({ endpoint }) => endpoint)));
}

/** Sessions that were asked whether they live: true = silent for long. */
export type Probed = ReadonlyMap<string, boolean>;

/** Owners that an address is remembered to have had. */
const OWNERS = 16;

/**
 * One attempt at an address, inside the claim step: who is there, who gives way, what is to be written.
 * @throws 308, 316, 318–321, 307, 324, 334, 356, 503, 6030, 90052
 */
export async function claimAddress(
  core: Core,
  plan: BindPlan,
  { address, random }: Target,
  probed: Probed,
): Promise<Decision<ClaimOutcome>> {
  const { request, resumed, acl } = plan;
  const session = await core.registry.getSession(plan.sessionId);
  if (session === null) throw fail(90052, { id: plan.sessionId });
  const { accountId } = session;

  // Somebody took what was free when it was chosen.
  if (random && !(await isFree(core, accountId, address))) return unchanged({ kind: 'taken' });
  checkAcl(core, acl, address);
  const generated = random || isGenerated(resumed, address);
  const footing = await footingFor(core, accountId, address, !generated);

  const { holders, fence } = await lookAt(core, accountId, address);
  const standing = await sortHolders(core, session, plan, holders, probed);
  const conflict = conflictWith(standing.others, accountId, request.poolingEnabled);
  if (conflict !== null) {
    const suspects = await silentCandidates(core, session, standing.others, probed);
    if (suspects.length > 0) return unchanged({ kind: 'suspects', sessionIds: suspects });
    throw agentConflictError(visitorView(address, core.config).publicUrl, accountId, conflict);
  }

  const moved = resumed === null || standing.sibling ? null : await ownTunnelElsewhere(core, session, resumed);
  const leaving = moved === null ? standing.displaced : [...standing.displaced, moved];
  const displaced = [...leaving, ...standing.silent];
  await checkRoom(core, session, displaced);

  const identity = identityOf(core, resumed, standing.sibling);
  const key = addressKey({ ...address, accountId });
  const tookFrom = ownersBefore(identity.endpointId, leaving, standing.silent, core.recentlyLeft.ownerOf(key));
  const tunnel: TunnelRecord = { ...recordOf(core, plan, session, address, identity, footing), tookFrom };
  return {
    answer: { kind: 'claimed', claimed: { tunnel, address, random: random && address.scheme === 'tcp', generated } },
    writes: footing.writes,
    registry: [...displaced.map(({ id }) => ({ op: 'remove' as const, id })), { op: 'put', tunnel }],
    fence,
    tell: () => {
      tellDisplaced(core, tunnel, identity.endpointId, leaving, standing.silent);
      core.sleepers.forget(session.id, tunnel.bindId);
      core.recentlyLeft.forget(key);
    },
  };
}

function tellDisplaced(
  core: Core,
  { sessionId }: TunnelRecord,
  endpointId: string,
  leaving: readonly TunnelRecord[],
  silent: readonly TunnelRecord[],
): void {
  for (const old of leaving) {
    if (old.sessionId === sessionId) continue;
    const message = tookBack(old, endpointId)
      ? 'the agent that had this address before is back'
      : 'another session of the same agent took over';
    core.edges.where(old.sessionId)?.stopTunnel(old.sessionId, old.bindId, message, null);
  }
  // A silent agent is told nothing: it keeps its session and its other endpoints, and has this one again when it wakes.
  for (const old of silent) {
    core.sleepers.add(old);
    core.log.info({ session: old.sessionId, url: old.endpoint?.url }, 'an agent that is silent gives up an address');
  }
}

/** A bind without a name gets back the address that its token speaks of, unless that port turned out to be taken. */
function resumedAddress({ wanted, resumed }: BindPlan, busyPorts: ReadonlySet<number>): Address | null {
  if (resumed === null || resumed.scheme !== wanted.scheme || resumed.binding !== wanted.binding) return null;
  if (resumed.scheme === 'tcp' && busyPorts.has(resumed.port)) return null;
  return addressOf(resumed.scheme, resumed.binding, resumed.host, resumed.port);
}

/** The agent sends back the name that it was given; that makes it none of its own. */
function isGenerated(resumed: Resumed | null, address: Address): boolean {
  return resumed?.generated === true && resumed.host === address.host && resumed.port === address.port;
}

/** Whose token wins the address back: of agents that were silent or away, and of those that they had it from. */
function ownersBefore(
  own: string,
  leaving: readonly TunnelRecord[],
  silent: readonly TunnelRecord[],
  away: string | null,
): readonly string[] {
  const owners = new Set([...leaving, ...silent].flatMap(({ tookFrom }) => tookFrom));
  for (const { endpoint } of silent) if (endpoint !== null) owners.add(endpoint.id);
  if (away !== null) owners.add(away);
  owners.delete(own);
  return [...owners].slice(-OWNERS);
}

function tookBack(old: TunnelRecord, endpointId: string): boolean {
  return old.endpoint?.id !== endpointId && old.tookFrom.includes(endpointId);
}

interface Standing {
  /** Give way: earlier binds of the same agent, and whoever took its address while it was away. */
  readonly displaced: readonly TunnelRecord[];
  /** Give way: their agents are silent for long. */
  readonly silent: readonly TunnelRecord[];
  readonly others: readonly Holder[];
  /** Another leg of the same agent holds the endpoint and keeps it (agent-protocol.md §8, Multi-leg). */
  readonly sibling: boolean;
}

async function sortHolders(
  core: Core,
  session: SessionRecord,
  { resumed, request }: BindPlan,
  holders: readonly Holder[],
  probed: Probed,
): Promise<Standing> {
  const displaced: TunnelRecord[] = [];
  const silent: TunnelRecord[] = [];
  const others: Holder[] = [];
  let sibling = false;
  const claim = {
    accountId: session.accountId,
    sessionId: session.id,
    clientId: session.clientId,
    legNumber: session.legNumber,
    provenEndpointId: resumed?.endpointId ?? '',
    pooling: request.poolingEnabled,
  };
  for (const holder of holders) {
    const owner = holder.kind === 'agent' ? await core.registry.getSession(holder.tunnel.sessionId) : null;
    if (holder.kind !== 'agent' || owner === null) others.push(holder);
    else if (resumed?.bindId === holder.tunnel.bindId && isOtherLeg(session, owner)) sibling = true;
    else if (mayTakeOver({ session: owner, tunnel: holder.tunnel }, claim)) displaced.push(holder.tunnel);
    else if (probed.get(owner.id) === true && owner.accountId === session.accountId) silent.push(holder.tunnel);
    else others.push(holder);
  }
  return { displaced, silent, others, sibling };
}

function isOtherLeg(session: SessionRecord, other: SessionRecord): boolean {
  return other.clientId === session.clientId && other.legNumber !== session.legNumber;
}

/**
 * Sessions in the way that may be a stopped or vanished process of the same user on the same machine. They are
 * asked; only one that is silent for long loses the address, and nothing else.
 */
async function silentCandidates(
  core: Core,
  session: SessionRecord,
  others: readonly Holder[],
  probed: Probed,
): Promise<string[]> {
  const ids = new Set<string>();
  for (const holder of others) {
    if (holder.kind !== 'agent' || probed.has(holder.tunnel.sessionId)) continue;
    const owner = await core.registry.getSession(holder.tunnel.sessionId);
    if (owner === null || owner.id === session.id) continue;
    const same =
      owner.accountId === session.accountId &&
      owner.credentialId === session.credentialId &&
      sameMachine(owner.ip, session.ip) &&
      owner.clientType === session.clientType;
    if (same) ids.add(owner.id);
  }
  return [...ids];
}

/** A process may reach its own machine over either loopback. */
function sameMachine(one: string, other: string): boolean {
  return one === other || (isLoopback(one) && isLoopback(other));
}

function isLoopback(ip: string): boolean {
  return ip === '::1' || /^(::ffff:)?127\./.test(ip);
}

/** The endpoint of the token at another address: it moves with this bind. */
async function ownTunnelElsewhere(core: Core, session: SessionRecord, resumed: Resumed): Promise<TunnelRecord | null> {
  const tunnel = await core.registry.getTunnel(tunnelIdOf(resumed.endpointId));
  return tunnel?.accountId === session.accountId ? tunnel : null;
}

async function checkRoom(core: Core, session: SessionRecord, displaced: readonly TunnelRecord[]): Promise<void> {
  const { endpointsPerSession } = core.config.limits;
  const own = await core.registry.tunnelsOfSession(session.id);
  const staying = own.filter((tunnel) => !displaced.some(({ id }) => id === tunnel.id));
  if (staying.length >= endpointsPerSession) throw fail(324, { limit: endpointsPerSession });
}

interface Identity {
  readonly endpointId: string;
  readonly bindId: string;
}

function identityOf(core: Core, resumed: Resumed | null, sibling: boolean): Identity {
  if (resumed !== null && !sibling) return { endpointId: resumed.endpointId, bindId: resumed.bindId };
  const endpointId = core.ids.next('ep');
  return { endpointId, bindId: resumed?.bindId ?? endpointId };
}

function recordOf(
  core: Core,
  { request, options, principalId }: BindPlan,
  session: SessionRecord,
  address: Address,
  { endpointId, bindId }: Identity,
  { domainId, tcpAddrId }: { readonly domainId: string; readonly tcpAddrId: string },
): TunnelRecord {
  const now = core.timestamp();
  const { scheme, host, port, binding, url } = address;
  const { trafficPolicy, effectivePolicy, optionRules, websocketTcp, tls } = options;
  return {
    id: tunnelIdOf(endpointId),
    bindId,
    accountId: session.accountId,
    sessionId: session.id,
    startedAt: now,
    updatedAt: now,
    metadata: request.metadata,
    description: request.description,
    name: request.name,
    forwardsTo: request.forwardsTo,
    forwardsProto: request.forwardsProto === 'http2' ? 'http2' : 'http1',
    labels: null,
    tookFrom: [],
    endpoint: {
      id: endpointId,
      url,
      publicUrl: visitorView(address, core.config).publicUrl,
      scheme,
      host,
      port,
      binding,
      poolingEnabled: request.poolingEnabled,
      trafficPolicy,
      effectivePolicy,
      optionRules,
      domainId,
      tcpAddrId,
      principalId,
      proxyProtocol: request.opts.proxyProto,
      websocketTcp,
      tls,
    },
  };
}

function tunnelIdOf(endpointId: string): string {
  return `tn_${endpointId.slice('ep_'.length)}`;
}
