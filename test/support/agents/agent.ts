/** What the tests of several agents ask of each, whoever made it. */
export interface Wish {
  readonly proto: 'http' | 'tcp';
  /** http only: one endpoint for each; https by default. */
  readonly schemes?: readonly ('http' | 'https')[];
  readonly hostname?: string;
  /** tcp only: `host:port` wanted. */
  readonly remoteAddr?: string;
  /** `user:password` that visitors must give. */
  readonly auth?: string;
  /** The upstream shall see this Host, which is the upstream's own address, instead of the public one. */
  readonly hostHeader?: string;
  readonly upstreamPort: number;
  readonly authtoken?: string;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** All that it printed. */
  readonly output: string;
}

export interface RunningAgent {
  /** One for each scheme, https first. */
  readonly urls: readonly string[];
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
}

/** It ended before it was online. */
export class AgentFailed extends Error {
  readonly ended: Ended;
  constructor(ended: Ended) {
    super(`ended with code ${ended.code}: ${ended.output}`);
    this.ended = ended;
  }
}

/** Starts a fresh process; resolves once all of its endpoints are online. @throws AgentFailed */
export type StartAgent = (wish: Wish) => Promise<RunningAgent>;
