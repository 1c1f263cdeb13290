/**
 * Visitors who leave an official agent in the middle of a download: the agent, which waits for credit, has to let go of
 * its stream and of its connection to the service (agent-protocol.md, annex), or its session dies of them at 512.
 */
import net from 'node:net';
import tls from 'node:tls';
import type ngrok from '@ngrok/ngrok';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { metric } from '../support/metrics.ts';
import { Platform, splitAddress } from '../support/platform.ts';
import { sessionBuilder } from '../support/sdk.ts';
import { until } from '../support/until.ts';

const VISITORS = 40;
const CHUNK = Buffer.alloc(1_000_000, 'd');

let platform: Platform;
let session: ngrok.Session;
let service: net.Server;
/** Connections of the agent's to the service. */
const open = new Set<net.Socket>();

beforeAll(async () => {
  platform = await Platform.start();
  session = await sessionBuilder(platform).connect();
  // Sends without end, to whoever connects, and looks at nothing.
  service = net.createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => {});
    socket.resume();
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 50000000000\r\n\r\n');
    const more = (): void => {
      while (!socket.destroyed && socket.write(CHUNK));
    };
    socket.on('drain', more);
    more();
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await platform?.dispose();
  await session?.close().catch(() => undefined);
  for (const socket of open) socket.destroy();
  await new Promise((resolve) => service.close(resolve));
});

/** Comes, reads a little, stays until the agent has a window full of bytes that nobody takes, and leaves. */
async function visit(connect: () => net.Socket, first: string): Promise<void> {
  const socket = connect();
  socket.on('error', () => {});
  socket.write(first);
  await new Promise((resolve) => socket.once('readable', resolve));
  await new Promise((resolve) => setTimeout(resolve, 300));
  socket.destroy();
}

const target = (): string => `127.0.0.1:${(service.address() as net.AddressInfo).port}`;
test.each(['https', 'tcp', 'tls'] as const)('%s: streams and connections come back', async (protocol) => {
  const [host, port] = splitAddress(platform.runtime.https_addr);
  let connect: () => net.Socket;
  let first = 'x';
  if (protocol === 'tcp') {
    const listener = await session.tcpEndpoint().listenAndForward(`tcp://${target()}`);
    const address = new URL(listener.url() ?? '');
    connect = () => net.connect(Number(address.port), address.hostname);
  } else if (protocol === 'tls') {
    const own = await selfSigned('leave.example.com');
    await session
      .tlsEndpoint()
      .domain('leave.example.com')
      .termination(own.cert, own.key)
      .listenAndForward(`tcp://${target()}`);
    connect = () => tls.connect({ host, port, servername: 'leave.example.com', ca: own.cert });
  } else {
    const listener = await session.httpEndpoint().listenAndForward(`http://${target()}`);
    const servername = new URL(listener.url() ?? '').hostname;
    connect = () => tls.connect({ host, port, servername, ca: platform.ca });
    first = `GET / HTTP/1.1\r\nHost: ${servername}\r\n\r\n`;
  }
  await Promise.all(Array.from({ length: VISITORS }, () => visit(connect, first)));
  await until(() => open.size === 0);
  // The heartbeats of both sides are left.
  await until(async () => (await metric(platform, 'postern_agent_streams')) <= 2);
  expect((await platform.api('GET', '/tunnel_sessions')).body.tunnel_sessions).toHaveLength(1);
});
