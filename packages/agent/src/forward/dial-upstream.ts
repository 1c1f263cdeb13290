import net from 'node:net';
import tls from 'node:tls';
import type { ListenOptions } from '../options.ts';
import type { UpstreamAddress } from '../target.ts';

/**
 * Every upstream socket reads into this one buffer, because what is read is framed, or copied, before the callback ends
 * (perf.md §3).
 */
const SHARED_READ_BUFFER = Buffer.allocUnsafeSlow(65_536);

export interface UpstreamPlan {
  readonly address: UpstreamAddress;
  /** TLS of the agent's own towards the upstream; never when the visitor's TLS is passed through. */
  readonly secure: boolean;
  readonly options: ListenOptions;
}

/** Receives what the upstream sends; valid during the call only. */
export type UpstreamReader = (chunk: Buffer) => void;

/** Starts the connection; bytes written before it is up are queued by the socket. */
export function dialUpstream(plan: UpstreamPlan, read: UpstreamReader): net.Socket {
  const { host, port } = plan.address;
  if (!plan.secure) {
    return new net.Socket({ noDelay: true, allowHalfOpen: true, onread: onRead(read) }).connect({ host, port });
  }
  return tls.connect({ ...tlsOptions(plan, read), host, port }).setNoDelay(true);
}

/** TCP first, `preamble` on it, then TLS over the same connection: a PROXY header precedes the upstream's TLS. */
export function dialUpstreamBehind(preamble: Buffer, plan: UpstreamPlan, read: UpstreamReader): net.Socket {
  const { host, port } = plan.address;
  const raw = net.connect({ host, port, noDelay: true, allowHalfOpen: true });
  raw.write(preamble);
  const secured = tls.connect({ ...tlsOptions(plan, read), socket: raw });
  raw.on('error', (error) => secured.destroy(error));
  secured.on('close', () => raw.destroy());
  // Node ignores `onread` for TLS over a given socket.
  return secured.on('data', read);
}

function onRead(read: UpstreamReader): net.OnReadOpts {
  return {
    buffer: SHARED_READ_BUFFER,
    callback(length) {
      read(SHARED_READ_BUFFER.subarray(0, length));
      return true;
    },
  };
}

/** `onread` and `allowHalfOpen` are options of every socket; the type of tls.connect forgets them. */
function tlsOptions(plan: UpstreamPlan, read: UpstreamReader): tls.ConnectionOptions & net.SocketConstructorOpts {
  const { options, address } = plan;
  return {
    onread: onRead(read),
    allowHalfOpen: true,
    rejectUnauthorized: options.verifyUpstream ?? options.upstreamCa !== undefined,
    ...(options.upstreamCa === undefined ? {} : { ca: options.upstreamCa }),
    ...(net.isIP(address.host) === 0 ? { servername: address.host } : {}),
    ...(address.scheme === 'https'
      ? { ALPNProtocols: options.forwardsProto === 'http2' ? ['h2', 'http/1.1'] : ['http/1.1'] }
      : {}),
  };
}
