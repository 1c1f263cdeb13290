import net from 'node:net';
import tls from 'node:tls';
import type { AgentOptions } from './options.ts';
import type { ReadSlab } from './read-slab.ts';
import { parseServerAddr } from './target.ts';

/**
 * Dials the server (agent-protocol.md §1): TCP without Nagle's delay, TLS with SNI, every address of the name in turn.
 * @param read gets the bytes of the wire, valid during the call
 */
export function dialServer(options: AgentOptions, slab: ReadSlab, read: (chunk: Buffer) => void): tls.TLSSocket {
  const { host, port } = parseServerAddr(options.serverAddr);
  const name = options.serverName ?? (net.isIP(host) === 0 ? host : undefined);
  // `onread` is an option of every socket; the type of this call forgets it.
  const connection: tls.ConnectionOptions & { onread: net.OnReadOpts } = {
    host,
    port,
    minVersion: 'TLSv1.2',
    ...(name === undefined ? {} : { servername: name }),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    onread: {
      buffer: slab.next,
      callback(length, buffer) {
        read(Buffer.from(buffer.buffer, buffer.byteOffset, length));
        slab.passed(length);
        return true;
      },
    },
  };
  return tls.connect(connection).setNoDelay(true);
}
