/** Postern's own agent as a library, pointed at a platform under test. */
import { type AgentOptions, type AgentSession, connectAgent } from '@postern/agent';
import type { Platform } from './platform.ts';

export function agentOf(platform: Platform, options: Partial<AgentOptions> = {}): AgentSession {
  return connectAgent({
    serverAddr: platform.runtime.agent_addr,
    serverName: 'localhost',
    ca: platform.ca,
    authtoken: platform.authtoken,
    ...options,
  });
}
