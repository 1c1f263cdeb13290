import { once } from 'node:events';
import net from 'node:net';
import { portOf } from './port-of.ts';

/** One that was free a moment ago, for what has to know it before it listens. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  return port;
}
