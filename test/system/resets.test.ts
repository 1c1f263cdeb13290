/** A connection that is cut is seen as cut on the other side, not as ended: what came over it may be incomplete. */
import net from 'node:net';
import tls from 'node:tls';
import type { AgentSession } from '@postern/agent';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentOf } from '../support/agent.ts';
import { Platform, splitAddress } from '../support/platform.ts';

const PAYLOAD = Buffer.alloc(100_000, 'x');
const NAME = 'cut.example.com';

let platform: Platform;
let agent: AgentSession;
let service: net.Server;
/** What the service's newest connection was like. */
let seen: Promise<string>;
/** What the service does when it has the payload. */
let after: (socket: net.Socket) => void;
let arrived: () => void;
let tcpPort: number;
const sockets: net.Socket[] = [];

/** How a socket's reading comes to its end. */
const ending = (socket: net.Socket): Promise<string> =>
  new Promise((resolve) => {
    socket.on('end', () => resolve('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });

beforeAll(async () => {
  platform = await Platform.start();
  service = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    seen = ending(socket);
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes < PAYLOAD.length) return;
      arrived();
      after(socket);
    });
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  agent = agentOf(platform);
  const upstream = `tcp://127.0.0.1:${(service.address() as net.AddressInfo).port}`;
  tcpPort = Number(new URL((await agent.listen({ proto: 'tcp', upstream })).url).port);
  await agent.listen({ proto: 'tls', url: `tls://${NAME}`, tlsTermination: {}, upstream });
});
afterAll(async () => {
  await agent?.close();
  await platform?.dispose();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => service.close(resolve));
});

interface Visitor {
  readonly socket: net.Socket;
  readonly under: net.Socket;
}

function connect(protocol: 'tcp' | 'tls'): Visitor {
  if (protocol === 'tcp') {
    const socket = net.connect({ port: tcpPort, host: '127.0.0.1', allowHalfOpen: true });
    return { socket, under: socket };
  }
  const [host, port] = splitAddress(platform.runtime.https_addr);
  const under = net.connect(port, host);
  return { under, socket: tls.connect({ socket: under, servername: NAME, ca: platform.ca }) };
}

describe.each(['tcp', 'tls'] as const)('over %s', (protocol) => {
  test.each([
    ['reset', 'ECONNRESET'],
    ['end', 'end'],
  ])("a visitor's %s is %s for the service", async (how, expected) => {
    const there = new Promise<void>((resolve) => (arrived = resolve));
    after = () => {};
    const { socket, under } = connect(protocol);
    socket.on('error', () => {}).resume();
    under.on('error', () => {});
    socket.write(PAYLOAD);
    await there;
    if (how === 'reset') under.resetAndDestroy();
    else socket.end();
    expect(await seen).toBe(expected);
    socket.destroy();
  });

  test.each([
    ['reset', 'ECONNRESET'],
    ['end', 'end'],
  ])("a service's %s is %s for the visitor", async (how, expected) => {
    arrived = () => {};
    after = (socket) => (how === 'reset' ? socket.resetAndDestroy() : socket.end());
    const { socket, under } = connect(protocol);
    const end = protocol === 'tcp' || how === 'end' ? ending(socket) : Promise.race([ending(socket), ending(under)]);
    under.on('error', () => {});
    socket.resume().write(PAYLOAD);
    expect(await end).toBe(expected);
    socket.destroy();
  });
});
