/** Postern's own agent as a library, pointed at a platform under test. */
import { type AgentSession, connectAgent } from '@postern/agent';
import type { Platform } from './platform.ts';

export function agentOf(platform: Platform, options: { readonly serverAddr?: string } = {}): AgentSession {
  return connectAgent({
    serverAddr: options.serverAddr ?? platform.runtime.agent_addr,
    serverName: 'localhost',
    ca: platform.ca,
    authtoken: platform.authtoken,
  });
}
