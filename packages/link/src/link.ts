/**
 * All that the data plane needs from the rest of Postern, and all that may be asked of it. Serialisable and
 * asynchronous: in one process it is function calls, with workers it crosses a channel.
 */
import type { AuthRequest, BindRequest, LabelBindRequest, PatchTunnelRequest } from '@postern/protocol';
import type { LoginEvent } from './login.ts';
import type { AgentBound, AgentCommand, AgentSessionAccepted } from './session.ts';
import type { NodeSettings } from './settings.ts';
import type { TrafficEvent } from './traffic.ts';
import type { ResourceUpdate, RouteUpdate } from './update.ts';

export interface TlsIdentity {
  /** PEM, leaf first. */
  readonly cert: string;
  readonly key: string;
  /** The same names with an RSA key, for clients that take no signature of the other. Absent = there is none. */
  readonly twin?: { readonly cert: string; readonly key: string };
  /** Answer of OCSP (DER, base64) that handshakes carry; not beside a twin, as the runtime does not say which of both is shown. */
  readonly staple?: string;
  /** What takes its place has the same: sessions of the one are resumed with the other. Absent = it is one by itself. */
  readonly line?: string;
}

export interface ControlLink {
  /**
   * Starts what the edge is told: settings, a snapshot of what policies name and one of routes, then changes of all three,
   * each awaited. Called once.
   */
  follow(edge: EdgePort): Promise<void>;
  /** Certificate for a server name that an endpoint, a reservation or this installation covers; null = none. */
  certificateFor(serverName: string): Promise<TlsIdentity | null>;
  /** Throws PosternError. `remoteAddr` is ip:port of the agent. */
  authenticate(request: AuthRequest, remoteAddr: string): Promise<AgentSessionAccepted>;
  /** Throws PosternError. The route is live (applied here) before this resolves. */
  bind(sessionId: string, request: BindRequest): Promise<AgentBound>;
  bindLabels(sessionId: string, request: LabelBindRequest): Promise<{ readonly id: string }>;
  /** Idempotent: unknown ids are no error. The route is gone before this resolves. */
  unbind(sessionId: string, id: string): Promise<void>;
  patchTunnel(sessionId: string, request: PatchTunnelRequest): Promise<void>;
  /** The session's wire is gone; its endpoints go offline. */
  sessionEnded(sessionId: string, reason: string): Promise<void>;
  /** Of log-ins of visitors. What is over is told to every edge, this one too. */
  login(event: LoginEvent): void;
  /** Finished exchanges and connections, some at a time. */
  traffic(events: readonly TrafficEvent[]): void;
}

/** What control may ask of an edge. */
export interface EdgePort {
  /** Resolves when they count for whoever comes from then on. */
  applySettings(settings: NodeSettings): Promise<void>;
  /** Resolves when new requests see the update. */
  applyRoutes(update: RouteUpdate): Promise<void>;
  /** Resolves when policies that run from then on see the update. What routes name comes before them. */
  applyResources(update: ResourceUpdate): Promise<void>;
  /** Resolves with the agent's own error text ('' = done). Throws PosternError 810 when it stays silent. */
  agentCommand(sessionId: string, command: AgentCommand): Promise<string>;
  /** Tells the agent that a listener of its was ended here (agent-protocol.md §5.8). Best effort. */
  stopTunnel(sessionId: string, tunnelId: string, message: string, errorCode: string | null): void;
  /** Closes the wire of a session that was displaced, revoked or is silent. */
  closeSession(sessionId: string, reason: string): void;
  /**
   * Whether the agent lives: true as soon as it answers a heartbeat or sends anything, false when it has been silent for
   * its heartbeat interval and five seconds (also when the session is not here). Asked when another process of the same
   * user wants the session's address: a stopped process keeps its socket open, one that is only busy keeps its address.
   */
  probeSession(sessionId: string): Promise<boolean>;
}
