import net from 'node:net';
import tls from 'node:tls';
import type { ForwardFunction } from '@postern/agent';
import { messageOf } from '../problem.ts';
import { UsageError } from '../usage-error.ts';

const HANDSHAKE_MS = 10_000;
const DIAL_MS = 10_000;

export interface AgentTls {
  readonly cert: string;
  readonly key: string;
  /** PEM of authorities of which visitors must have a certificate. */
  readonly visitorCas?: string | undefined;
}

export interface PlainService {
  readonly host: string;
  readonly port: number;
  /** Whether the service speaks TLS itself, and how it is verified. */
  readonly secure: boolean;
  readonly verify: boolean;
  readonly ca?: string | undefined;
}

/**
 * TLS of visitors ends in this process (`agent_tls_termination`, `--terminate-at agent`): the server passes the bytes on
 * untouched and never sees the key.
 * @throws UsageError when certificate and key cannot be used
 */
export function endTlsHere({ cert, key, visitorCas }: AgentTls, service: PlainService): ForwardFunction {
  let server: tls.Server;
  try {
    const demand = visitorCas === undefined ? {} : { ca: visitorCas, requestCert: true, rejectUnauthorized: true };
    server = tls.createServer({ cert, key, ...demand, handshakeTimeout: HANDSHAKE_MS }, (visitor) =>
      join(visitor, dial(service)),
    );
  } catch (cause) {
    throw new UsageError(`TLS cannot end here with this certificate and key: ${messageOf(cause)}`, { cause });
  }
  // A handshake that fails is the visitor's.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return (stream) => {
    stream.on('error', () => {});
    server.emit('connection', stream);
  };
}

function dial({ host, port, secure, verify, ca }: PlainService): net.Socket {
  const options = { host, port, allowHalfOpen: true };
  if (!secure) return net.connect({ ...options, noDelay: true });
  const name = net.isIP(host) === 0 ? { servername: host } : {};
  return tls.connect({ ...options, ...name, rejectUnauthorized: verify, ...(ca === undefined ? {} : { ca }) });
}

function join(visitor: tls.TLSSocket, service: net.Socket): void {
  const late = setTimeout(() => service.destroy(new Error('the service does not answer')), DIAL_MS);
  service.once('connect', () => clearTimeout(late));
  service.once('close', () => clearTimeout(late));
  visitor.on('error', () => service.destroy());
  service.on('error', () => visitor.destroy());
  visitor.on('close', () => service.destroy());
  visitor.pipe(service);
  service.pipe(visitor);
}
