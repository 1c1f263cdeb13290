/** The agent: connects to a server, binds listeners, carries their connections. See README.md. */
export { AgentError } from './agent-error.ts';
export { openUpstream } from './forward/open-upstream.ts';
export { parseProxy } from './proxy/proxy-address.ts';
export { connectAgent } from './session.ts';
export { normalizeTarget } from './target.ts';
export type {
  AgentLog,
  AgentOptions,
  AgentSession,
  AgentState,
  AgentStatus,
  ConnectionWatch,
  ForwardFunction,
  ForwardInfo,
  LegState,
  Listener,
  ListenOptions,
  WatchInfo,
} from './options.ts';
