import net from 'node:net';
import tls from 'node:tls';
import type { ListenOptions } from '../options.ts';
import type { UpstreamAddress } from '../target.ts';
import type { Trail } from './circles.ts';
import type { UpstreamReader } from './upstream-reader.ts';
import { UpstreamSocket } from './upstream-socket.ts';
import type { Watched } from './watched.ts';

export interface UpstreamPlan {
  readonly address: UpstreamAddress;
  /** TLS of the agent's own towards the upstream; never when the visitor's TLS is passed through. */
  readonly secure: boolean;
  readonly options: ListenOptions;
  /** Of tcp and tls endpoints: what the connection has come through. */
  readonly trail?: Trail | undefined;
  readonly watched?: Watched | undefined;
}

/** Starts the connection; bytes written before it is up are queued by the socket. */
export function dialUpstream(plan: UpstreamPlan, reader: UpstreamReader): net.Socket {
  const { host, port } = plan.address;
  if (!plan.secure) return new UpstreamSocket(reader).connect({ host, port });
  const { onread } = reader;
  // Options of every socket, which the type of tls.connect forgets.
  const socketOptions: net.SocketConstructorOpts = { onread, allowHalfOpen: true };
  return tls.connect({ ...socketOptions, ...tlsOptions(plan), host, port }).setNoDelay(true);
}

/** TCP first, `preamble` on it, then TLS over the same connection: a PROXY header precedes the upstream's TLS. */
export function dialUpstreamBehind(preamble: Buffer, plan: UpstreamPlan, read: (chunk: Buffer) => void): net.Socket {
  const { host, port } = plan.address;
  const raw = net.connect({ host, port, noDelay: true, allowHalfOpen: true });
  raw.write(preamble);
  const secured = tls.connect({ ...tlsOptions(plan), socket: raw });
  raw.on('error', (error) => secured.destroy(error));
  secured.on('close', () => raw.destroy());
  // Node ignores `onread` for TLS over a given socket.
  return secured.on('data', read);
}

export function tlsOptions(plan: UpstreamPlan): tls.ConnectionOptions {
  const { options, address } = plan;
  return {
    rejectUnauthorized: options.verifyUpstream ?? options.upstreamCa !== undefined,
    ...(options.upstreamCa === undefined ? {} : { ca: options.upstreamCa }),
    ...(net.isIP(address.host) === 0 ? { servername: address.host } : {}),
    ...(address.scheme === 'https'
      ? { ALPNProtocols: options.forwardsProto === 'http2' ? ['h2', 'http/1.1'] : ['http/1.1'] }
      : {}),
  };
}
