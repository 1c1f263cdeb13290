/** The agent: connects to a server, binds listeners, carries their connections. See README.md. */
export { AgentError } from './agent-error.ts';
export { connectAgent } from './session.ts';
export { normalizeTarget } from './target.ts';
export type {
  AgentLog,
  AgentOptions,
  AgentSession,
  AgentState,
  AgentStatus,
  ForwardFunction,
  ForwardInfo,
  Listener,
  ListenOptions,
} from './options.ts';
