import { createHash, X509Certificate } from 'node:crypto';
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
  /** Names the public key of our own authority, where that is who signed: `postern login` knows it again by this. */
  readonly pin?: string;
}

export function agentAccess(
  config: Pick<ServerConfig, 'agents' | 'https' | 'agentNames'>,
  runtime: Pick<RuntimeInfo, 'agent_addr'>,
  authorityOf: (name: string) => CertificateAuthority,
  ca: string,
): AgentAccess {
  const listeners = config.agents.length > 0 ? config.agents : config.https;
  const remote = listeners.some(({ host }) => !host.startsWith('127.') && host !== '::1' && host !== 'localhost');
  // A certificate names hosts; addresses only where there is nothing else.
  const names = config.agentNames.filter((name) => name !== 'localhost');
  const name = remote ? (names.find((one) => isIP(one) === 0) ?? names[0] ?? 'localhost') : 'localhost';
  const port = runtime.agent_addr.slice(runtime.agent_addr.lastIndexOf(':') + 1);
  const authority = authorityOf(name);
  const address = `${isIP(name) === 6 ? `[${name}]` : name}:${port}`;
  return { address, authority, remote, ...(authority === 'own' ? { pin: pinOf(ca) } : {}) };
}

/** SHA-256 of the key, which stays when the certificate is made anew (RFC 7469 §2.4). */
function pinOf(ca: string): string {
  const key = new X509Certificate(ca).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64url');
}
