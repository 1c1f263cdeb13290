import type { Duplex } from 'node:stream';

/**
 * What the local API needs of whoever runs the agent: the tunnels that are there, and a way to start and stop some.
 * The command implements it; nothing here knows how.
 */

/** A tunnel (endpoint) that is online through this agent. */
export interface Tunnel {
  /** Unique within the agent; `command_line` for that of `postern http`. */
  readonly name: string;
  /** What the server knows it by. */
  readonly id: string;
  /** What visitors open. */
  readonly url: string;
  readonly proto: string;
  /** The upstream as a whole URL: `http://localhost:80`. */
  readonly addr: string;
  readonly inspect: boolean;
  /** What the upstream speaks, where that was said: `http2`. */
  readonly upstreamProtocol?: string;
  readonly bindings?: readonly string[];
  readonly metadata?: string;
  readonly description?: string;
  readonly poolingEnabled?: boolean;
  /** YAML or JSON text. */
  readonly trafficPolicy?: string;
}

export type SessionState = 'connecting' | 'online' | 'reconnecting' | 'closed';

export interface AgentState {
  readonly session: SessionState;
  readonly version: string;
  readonly region: string;
  /** Milliseconds of the newest heartbeat; undefined before the first. */
  readonly latency: number | undefined;
  /** Latency of each connection to the server that is up; undefined = as `latency`, before the first. */
  readonly legs?: readonly (number | undefined)[];
  /** Shown on the status page, in this order: server, account, configuration files. No secrets. */
  readonly facts: readonly (readonly [name: string, value: string])[];
}

/** A JSON object as it was sent: a tunnel of a version 2 file, or an endpoint of a version 3 file, with its `name`. */
export type Definition = Readonly<Record<string, unknown>>;

/** The port. `start` rejects with {@link TunnelRefused} for what the caller can mend. */
export interface Tunnels {
  state(): AgentState;
  list(): readonly Tunnel[];
  /** Resolves when it is online. A name that is taken is refused. */
  startTunnel(definition: Definition): Promise<Tunnel>;
  startEndpoint(definition: Definition): Promise<Tunnel>;
  /** @returns false when there is none of this name */
  stop(name: string): Promise<boolean>;
  /** A new connection to the upstream of this tunnel, for a request that is sent again; undefined = no such tunnel. */
  connect(name: string): Duplex | undefined;
}

/** A definition that cannot be started; `status` is what the API answers. */
export class TunnelRefused extends Error {
  /** 400: the definition. 502: the server refused it. 503: no session yet. */
  readonly status: 400 | 502 | 503;
  /** What the agent's own number says of it; 100 to 104 as the v3 agent uses them. */
  readonly code: number;
  /** The words behind the message. */
  readonly detail: string;

  constructor(status: 400 | 502 | 503, code: number, message: string, detail: string) {
    super(message);
    this.name = 'TunnelRefused';
    this.status = status;
    this.code = code;
    this.detail = detail;
  }
}
