import { writeProxyPreamble } from '@postern/protocol';
import type { AgentUpstream } from '@postern/link';

interface Ends {
  readonly clientIp: string;
  readonly clientPort: number;
  readonly serverIp: string;
  readonly serverPort: number;
}

/** The PROXY protocol header that a listener has asked for: from the visitor, to the public address. */
export function proxyHeaderFor(upstream: AgentUpstream, conn: Ends): Buffer | null {
  if (upstream.proxyProtocol === 0) return null;
  return writeProxyPreamble(
    upstream.proxyProtocol,
    { address: conn.clientIp, port: conn.clientPort },
    { address: conn.serverIp, port: conn.serverPort },
  );
}
