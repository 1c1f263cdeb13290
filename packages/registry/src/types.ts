/**
 * Live state: agent sessions, their tunnels, and who holds which address. In memory for the nodes of one process; a
 * PostgreSQL form will pass the same contract suite. Every method is synchronous in meaning and asynchronous in type.
 * Lists come oldest (smallest id) first.
 */
import type { Binding, Scheme } from '@postern/link';

/** A node in one of its lives: a process that starts again is the same node in a later epoch. */
export interface NodeRef {
  readonly id: string;
  /** From 1 on. */
  readonly epoch: number;
}

export interface SessionRecord {
  /** `ts_…` */
  readonly id: string;
  readonly accountId: string;
  /** Whose it is, with all its tunnels: they are there while the node's lease holds, and not in a later epoch. */
  readonly node: NodeRef;
  /** Id that the agent offers again when it reconnects. */
  readonly clientId: string;
  readonly legNumber: number;
  readonly credentialId: string;
  readonly agentVersion: string;
  readonly clientType: string;
  readonly userAgent: string;
  readonly ip: string;
  readonly os: string;
  readonly region: string;
  readonly startedAt: string;
  /** `ngrok/2` or `ngrok/3`. */
  readonly transport: string;
  readonly metadata: string;
  /** null: supported; else why the agent refuses (agent-protocol.md §5.1). */
  readonly stopRefusal: string | null;
  readonly restartRefusal: string | null;
  readonly updateRefusal: string | null;
}

export interface TunnelRecord {
  /** `tn_…`; its endpoint is `ep_` with the same suffix. */
  readonly id: string;
  /** Id on the wire (BindResp.Id), kept over reconnects. */
  readonly bindId: string;
  readonly accountId: string;
  readonly sessionId: string;
  readonly startedAt: string;
  readonly updatedAt: string;
  readonly metadata: string;
  readonly description: string;
  readonly name: string;
  readonly forwardsTo: string;
  /** 'http1' | 'http2'. */
  readonly forwardsProto: string;
  /** Present for labelled tunnels, which have no address of their own. */
  readonly labels: Readonly<Record<string, string>> | null;
  readonly endpoint: OnlineEndpoint | null;
  /** Endpoints whose agents were silent or away when it took the address: their resume token wins it back. */
  readonly tookFrom: readonly string[];
}

/** The address part of an agent's tunnel. */
export interface OnlineEndpoint {
  /** `ep_…` */
  readonly id: string;
  readonly url: string;
  readonly publicUrl: string;
  readonly scheme: Scheme;
  readonly host: string;
  readonly port: number;
  readonly binding: Binding;
  readonly poolingEnabled: boolean;
  readonly trafficPolicy: string;
  /** What the options of the bind and the policy came to, as the edge runs it. */
  readonly effectivePolicy: string;
  /** The rules that the bind's other options came to, by phase, for merging with a patched policy. */
  readonly optionRules?: {
    readonly [phase in 'on_tcp_connect' | 'on_http_request' | 'on_http_response']: readonly {
      readonly type: string;
      readonly config: Readonly<Record<string, unknown>>;
    }[];
  };
  readonly domainId: string;
  readonly tcpAddrId: string;
  readonly principalId: string;
  readonly proxyProtocol: 0 | 1 | 2;
  /** Visitors speak WebSocket, and the service gets the bytes of their messages. */
  readonly websocketTcp: boolean;
  readonly tls:
    | { readonly at: 'agent' }
    | { readonly at: 'edge'; readonly cert: string | null; readonly key: string | null };
}

/** Who may take an address over: the same agent coming back. */
export interface Fence {
  readonly clientId: string;
  readonly legNumber: number;
  /** Endpoint id proven by a resume token, or ''. */
  readonly provenEndpointId: string;
}

/** Newest (largest id) first, at most `limit`, below `beforeId` only ('' = from the newest on; it need not exist). */
export interface RegistryPage {
  readonly beforeId: string;
  readonly limit: number;
}

/** What happens to sessions and their tunnels. */
export type RegistryChange =
  /** Adds or replaces by id. */
  | { readonly op: 'put'; readonly tunnel: TunnelRecord }
  | { readonly op: 'remove'; readonly id: string }
  /** The session and all its tunnels. */
  | { readonly op: 'end'; readonly sessionId: string };

/** Who held each of these address keys when it was asked, as `snapshot` gave it. */
export type Snapshot = ReadonlyMap<string, readonly TunnelRecord[]>;

/** Where the nodes meet. */
export interface Cluster {
  /** Begins the node's next epoch, with a lease: what is left of its earlier ones is gone. */
  join(nodeId: string): Promise<Registry>;
}

/**
 * As one node has it. A node has a lease, which it renews. One that has ended is found so by the first other node that
 * looks at anything here, or changes it: from then on the sessions of that node are gone, what they held can be claimed,
 * and whatever the node itself would still write is refused. While no other has looked it has lost nothing, and may
 * renew the lease late: a node that is alone is never fenced for having stood still.
 */
export interface Registry {
  readonly node: NodeRef;
  /** How long its records stay without a renewal. */
  readonly leaseMs: number;
  /** @throws NodeFenced */
  renew(): Promise<void>;
  /**
   * Adds or replaces by id; a replaced session keeps its tunnels. It is one of this node.
   * @throws NodeFenced
   */
  addSession(session: SessionRecord): Promise<void>;
  getSession(id: string): Promise<SessionRecord | null>;
  sessionsOf(accountId: string): Promise<SessionRecord[]>;
  /** One page of them. */
  sessionsBefore(accountId: string, page: RegistryPage): Promise<SessionRecord[]>;
  /**
   * The live session (the newest, should there be several) of the same account, clientId and leg: it is stale once its
   * owner dials again. An empty clientId finds nothing.
   */
  findSession(accountId: string, clientId: string, legNumber: number): Promise<SessionRecord | null>;

  /** Online agent endpoints that hold these address keys (all members of a pool), all as of one moment. */
  snapshot(keys: readonly string[]): Promise<Snapshot>;
  /**
   * All of it or nothing, in this order, in one step. What is not there is removed without an error.
   * @param fence what it was decided on: refused when one of these addresses has other holders by now, or the same ones
   *   changed; another node may claim what this one is about to
   * @throws NodeFenced
   * @throws SessionGone when the session of a tunnel is not (or no longer) there: nobody would ever remove such a tunnel
   * @throws Overtaken when the fence does not hold
   */
  apply(changes: readonly RegistryChange[], fence: Snapshot): Promise<void>;
  getTunnel(id: string): Promise<TunnelRecord | null>;
  /** By wire id within a session; the newest, should an agent have used one twice. */
  findTunnel(sessionId: string, bindId: string): Promise<TunnelRecord | null>;
  tunnelsOf(accountId: string): Promise<TunnelRecord[]>;
  /** One page of them. */
  tunnelsBefore(accountId: string, page: RegistryPage): Promise<TunnelRecord[]>;
  tunnelsOfSession(sessionId: string): Promise<TunnelRecord[]>;
  /** Online agent endpoints that hold this address key (all members of a pool). */
  holdersOf(addressKey: string): Promise<TunnelRecord[]>;
  /** Labelled tunnels whose labels contain all of `labels`, same account. No labels: every labelled tunnel. */
  tunnelsWithLabels(accountId: string, labels: Readonly<Record<string, string>>): Promise<TunnelRecord[]>;
}

/** The agent left while something was being done for it. */
export class SessionGone extends Error {
  override readonly name = 'SessionGone';
  readonly sessionId: string;
  constructor(sessionId: string) {
    super(`the agent session ${sessionId} has ended`);
    this.sessionId = sessionId;
  }
}

/** The node's lease has ended and others go on without it, or it has begun a later epoch. */
export class NodeFenced extends Error {
  override readonly name = 'NodeFenced';
  constructor({ id, epoch }: NodeRef) {
    super(`the node ${id} of epoch ${epoch} counts as gone`);
  }
}

/** Somebody else came first: to be looked at and decided anew. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken';
  constructor(key: string) {
    super(`the address ${key} changed hands meanwhile`);
  }
}

/** The key under which addresses conflict: scheme, binding, account for non-public ones, host, port. */
export function addressKey(address: {
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  readonly binding: string;
  readonly accountId: string;
}): string {
  const owner = address.binding === 'public' ? '' : address.accountId;
  // Public http, https and tls listen on one port each, so their port takes no part (docs/design.md §1, URLs and ports).
  const port = address.binding === 'public' && address.scheme !== 'tcp' ? 0 : address.port;
  const host = address.binding === 'public' && address.scheme === 'tcp' ? '' : address.host;
  return `${address.binding}|${owner}|${address.scheme}|${host}|${port}`;
}
