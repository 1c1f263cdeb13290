import net from 'node:net';
import { duplexPair, type Duplex } from 'node:stream';
import tls from 'node:tls';
import { writeProxyPreamble } from '@postern/protocol';
import type { ListenOptions } from '../options.ts';
import { parseUpstream } from '../target.ts';
import { tlsOptions } from './dial-upstream.ts';

/** Of whoever opens it: this machine. */
const OWN_END = { address: '127.0.0.1', port: 0 };

/**
 * A connection to a listener's upstream as visitors' are made, for what this agent itself has to send there. Destroyed
 * when it does not come up in time.
 */
export function openUpstream(options: ListenOptions): Duplex {
  if (typeof options.upstream === 'function') {
    const [ours, theirs] = duplexPair();
    options.upstream(theirs, { clientAddr: '127.0.0.1:0', proto: options.proto ?? 'http' });
    return ours;
  }
  const address = parseUpstream(options.upstream);
  const secure = address.scheme === 'https' || address.scheme === 'tls';
  const raw = net.connect({ host: address.host, port: address.port, noDelay: true, allowHalfOpen: true });
  if (options.proxyProto === 1 || options.proxyProto === 2)
    raw.write(writeProxyPreamble(options.proxyProto, OWN_END, OWN_END));
  const timeout = options.dialTimeout ?? 10_000;
  const socket = secure ? tls.connect({ ...tlsOptions({ address, secure, options }), socket: raw }) : raw;
  const deadline = setTimeout(() => socket.destroy(new Error(`no answer within ${timeout / 1000} s`)), timeout);
  socket.once(secure ? 'secureConnect' : 'connect', () => clearTimeout(deadline));
  socket.once('close', () => {
    clearTimeout(deadline);
    raw.destroy();
  });
  if (secure) raw.on('error', (error) => socket.destroy(error));
  return socket;
}
