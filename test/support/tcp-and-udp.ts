/** A port of a server that is asked both ways, as those of DNS are. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { freePort } from '@postern/edge/testing/free-port';

/** Not a port that the system gives for TCP: it may be a client's for UDP. */
export async function tcpAndUdp(): Promise<{ readonly tcp: net.Server; readonly udp: Socket }> {
  const port = await freePort();
  const tcp = net.createServer().listen(port, '127.0.0.1');
  await once(tcp, 'listening');
  const udp = createSocket('udp4');
  udp.bind(port, '127.0.0.1');
  await once(udp, 'listening');
  return { tcp, udp };
}
