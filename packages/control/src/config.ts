import type { RouteUpdate, TlsIdentity, TrafficEvent } from '@postern/link';
import type { CompileOptions, PolicyReference } from '@postern/policy';
import type { Registry } from '@postern/registry';
import type { IdSource, Store, Write } from '@postern/store';
import type { AddressPlan } from './addresses/urls.ts';

export interface ControlConfig extends AddressPlan {
  /** Hosts that creating an endpoint reserves by itself (docs/design.md §1). */
  readonly autoReserve: 'any' | 'base' | 'off';
  /** What sessions, tunnels, addresses and agents are told; one asked for in a create is echoed. */
  readonly region: string;
  /** A page of this server, for people who open an address that is for agents. */
  readonly webUrl: string;
  /** Whether certificates for names of users are ordered here, and which can be had; absent = none are. */
  readonly certificates?: {
    /** Wildcards need control of records in DNS. */
    readonly wildcards: boolean;
  };
  /** Identity providers at which this server has an app, for policies without one of their own. */
  readonly loginApps: readonly string[];
  readonly limits: ControlLimits;
}

export interface ControlLimits {
  /** Agent sessions per account (108). */
  readonly sessions: number;
  /** Endpoints per agent session (324). */
  readonly endpointsPerSession: number;
  /** How long an edge may take to apply a route update. */
  readonly applyMs: number;
  /** How long what an agent reserved by binding outlives a connection that broke. */
  readonly lostMs: number;
  /** Between two looks at whether an agent that lost an address for its silence is awake. */
  readonly wakeMs: number;
  /** How long agents may take to come back: after a restart, and to an address that another one took meanwhile. */
  readonly returnMs: number;
}

export const DEFAULT_LIMITS: ControlLimits = {
  sessions: 10_000,
  endpointsPerSession: 1_000,
  applyMs: 10_000,
  lostMs: 2_000,
  wakeMs: 500,
  // Official agents retry after 0, 50 ms, 2.5 s and 125 s (agent-protocol.md §0.5).
  returnMs: 300_000,
};

/** What control needs of the policy language; `policyRules` unless a test brings its own. */
export interface PolicyRules {
  /**
   * Compiles the text and throws the PosternError (22xx) of whatever is wrong with it.
   * @returns what the account must have for it
   */
  check(text: string, options: CompileOptions): readonly PolicyReference[];
  /** Whether the policy of an endpoint of this protocol lets TLS end at the edge where it would pass through. */
  endsTls(text: string, protocol: CompileOptions['protocol']): boolean;
  /** One policy text of `rules` (from an agent's options) and those of `text`, in the language's agreed order. */
  withRules(text: string, rules: PolicyRuleSet, protocol: CompileOptions['protocol']): string;
}

export interface PolicyAction {
  readonly type: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** When it runs; absent = always. */
  readonly expressions?: readonly string[];
  /** The type of an action behind which it stands. */
  readonly behind?: string;
}

/** Whoever orders certificates, asked by hand. Rows are those of `managedCertificates`. */
export interface CertificateOrders {
  /** Orders a new one now. @returns seconds to wait before it may be asked for; 0 = it is under way; null = no such row */
  renew(id: string): Promise<number | null>;
  /** Finds out whether an order would succeed. @returns seconds as above, or what was found of each name */
  check(id: string): Promise<number | readonly NameCheck[] | null>;
}

export interface NameCheck {
  readonly name: string;
  /** How control of it would be shown; null = not at all. */
  readonly challenge: string | null;
  /** Why so, or what to do. */
  readonly msg: string;
}

/** Actions to run, by phase, each as a rule of its own. */
export interface PolicyRuleSet {
  readonly on_tcp_connect: readonly PolicyAction[];
  readonly on_http_request: readonly PolicyAction[];
  readonly on_http_response: readonly PolicyAction[];
}

export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ControlDependencies {
  readonly store: Store;
  /** As this node has it. */
  readonly registry: Registry;
  readonly config: ControlConfig;
  readonly policy?: PolicyRules;
  readonly ids: IdSource;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Certificates are the server's business; control passes the question on. */
  readonly certificateFor: (serverName: string) => Promise<TlsIdentity | null>;
  /** null while none are ordered. */
  readonly certificateOrders?: () => CertificateOrders | null;
  /** Finished exchanges, for whoever keeps logs and metrics. */
  readonly traffic?: (events: readonly TrafficEvent[]) => void;
  /** Changes of routes, as the edges are told, for whoever keeps what is served. Must not throw. */
  readonly routed?: (change: Pick<RouteUpdate, 'upserts' | 'removes'>) => void;
  /** What was written here, for whoever follows the rows. Must not throw. */
  readonly written?: (writes: readonly Write[]) => void;
  readonly log: Log;
}
