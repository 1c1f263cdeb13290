import net from 'node:net';
import tls from 'node:tls';
import { dealRead, type ReadCallback } from '@postern/sockets';
import type { AgentOptions } from './options.ts';
import { parseServerAddr } from './target.ts';
import type { WayOut } from './way-out.ts';

/** Packets that are lost are sent again after 1, 3 and 7 s: dialling anew finds a path that is back sooner than waiting. */
const REACH_TIMEOUT = 3000;

/** What all connections to servers read into (docs/performance.md); TLS hands out records of at most 16 KiB. */
const SLAB = Buffer.allocUnsafeSlow(16_384);

/**
 * Dials the server (agent-protocol.md §1): TCP without Nagle's delay, TLS with SNI, every address of the name in turn.
 * @param through a connection to it that a proxy made, or how to leave this machine
 * @param read gets bytes of the wire, `[0, length)` of a buffer, valid during the call
 */
export function dialServer(
  options: AgentOptions,
  address: string,
  through: net.Socket | WayOut,
  read: ReadCallback,
): tls.TLSSocket {
  const { host, port } = parseServerAddr(address);
  const name = options.serverName ?? (net.isIP(host) === 0 ? host : undefined);
  const common: tls.ConnectionOptions = {
    minVersion: 'TLSv1.2',
    ...(name === undefined ? {} : { servername: name }),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  };
  if (through instanceof net.Socket) {
    // A socket over another has no `onread`; its chunks have memory of their own.
    return tls
      .connect({ ...common, socket: through })
      .on('data', (chunk: Buffer) => dealRead(read, chunk, chunk.length));
  }
  // `onread` is an option of every socket; the type of this call forgets it.
  const connection: tls.ConnectionOptions & { onread: net.OnReadOpts } = {
    ...common,
    ...through,
    host,
    port,
    onread: {
      buffer: SLAB,
      callback(length) {
        dealRead(read, SLAB, length);
        return true;
      },
    },
  };
  const socket = tls.connect(connection).setNoDelay(true);
  boundReach(socket, host, address);
  return socket;
}

/** How long the name takes to resolve is another matter. */
function boundReach(socket: tls.TLSSocket, host: string, address: string): void {
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    timer ??= setTimeout(
      () => socket.destroy(new Error(`${address} cannot be reached: no answer within ${REACH_TIMEOUT / 1000} s`)),
      REACH_TIMEOUT,
    );
  };
  if (net.isIP(host) === 0) socket.once('lookup', begin);
  else begin();
  socket.once('connect', () => clearTimeout(timer));
  socket.once('close', () => clearTimeout(timer));
}
