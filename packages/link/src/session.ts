/** What control tells of agents, and what it asks of them. Plain data. */
import type { Scheme } from './model.ts';

export interface AgentSessionAccepted {
  /** `ts_…` */
  readonly sessionId: string;
  readonly clientId: string;
  readonly cookie: string;
  readonly accountId: string;
  readonly accountName: string;
  readonly region: string;
  readonly banner: string;
}

export interface AgentBound {
  /** Id that the agent keeps and that proxy headers carry. */
  readonly id: string;
  readonly url: string;
  readonly proto: Scheme;
  /** Resume token. */
  readonly token: string;
  /** `tn_…` */
  readonly tunnelId: string;
  /** Host of the URL, without a port. */
  readonly host: string;
  /** TLS of a tls endpoint ends at the edge, whatever the question said of it. */
  readonly tlsEndsHere: boolean;
}

export type AgentCommand =
  | { readonly kind: 'stop' }
  | { readonly kind: 'restart' }
  | { readonly kind: 'update'; readonly version: string; readonly permitMajorVersion: boolean };
