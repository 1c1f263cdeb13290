import { isIP } from 'node:net';
import type { CertificateAuthority } from './certificates/authority.ts';
import type { ServerConfig } from './config/server-config.ts';
import type { RuntimeInfo } from './runtime-file.ts';

/** What an agent has to be told. */
export interface AgentAccess {
  /** host:port: the first name that other machines can use, or `localhost` where nothing listens for them. */
  readonly address: string;
  /** Who signed what it will see there. */
  readonly authority: CertificateAuthority;
  /** Whether other machines reach it. */
  readonly remote: boolean;
}

export function agentAccess(
  config: Pick<ServerConfig, 'agents' | 'https' | 'agentNames'>,
  runtime: Pick<RuntimeInfo, 'agent_addr'>,
  authorityOf: (name: string) => CertificateAuthority,
): AgentAccess {
  const listeners = config.agents.length > 0 ? config.agents : config.https;
  const remote = listeners.some(({ host }) => !host.startsWith('127.') && host !== '::1' && host !== 'localhost');
  // A certificate names hosts; addresses only where there is nothing else.
  const names = config.agentNames.filter((name) => name !== 'localhost');
  const name = remote ? (names.find((one) => isIP(one) === 0) ?? names[0] ?? 'localhost') : 'localhost';
  const port = runtime.agent_addr.slice(runtime.agent_addr.lastIndexOf(':') + 1);
  return { address: `${isIP(name) === 6 ? `[${name}]` : name}:${port}`, authority: authorityOf(name), remote };
}
