import net from 'node:net';
import { MuxErrorCode } from '@postern/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentSession } from '../options.ts';
import { connectAgent } from '../session.ts';
import { Circles } from './circles.ts';
import { TEST_CERT } from '../testing/identity.ts';
import { TestServer } from '../testing/server.ts';

let server: TestServer;
let agent: AgentSession;
/** What a visitor would come through, and what the agent dials. */
let door: net.Server;
let came: net.Socket[];
let url: string;

beforeEach(async () => {
  server = new TestServer();
  await server.listen();
  agent = connectAgent({ serverAddr: server.addr, ca: TEST_CERT, authtoken: 't' });
  came = [];
  door = net.createServer((socket) => void came.push(socket.resume().on('error', () => {})));
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  const address = door.address();
  url = `tcp://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
});

afterEach(async () => {
  await agent.close(0);
  await server.close();
  for (const socket of came) socket.destroy();
  await new Promise((resolve) => door.close(resolve));
});

test('an upstream that is the endpoint itself: its second visitor is reset; chains and strangers are served', async () => {
  const circle = await agent.listen({ url, upstream: url });
  const other = await agent.listen({ url: 'tcp://127.0.0.1:1', upstream: url });
  const last = await agent.listen({ url: 'tcp://127.0.0.1:2', upstream: url });
  const dialled = async (id: string, clientAddr?: string): Promise<string> => {
    const before = came.length;
    const visitor = server.visit(id, {
      proto: 'tcp',
      first: 'x',
      ...(clientAddr === undefined ? {} : { clientAddr }),
    });
    await expect.poll(() => came.length).toBe(before + 1);
    expect(visitor.resetCode).toBeUndefined();
    return `127.0.0.1:${came[before]?.remotePort}`;
  };
  const first = await dialled(circle.id);
  const second = await dialled(other.id, first);
  const third = await dialled(last.id, second);
  for (const [id, clientAddr] of [
    [circle.id, first],
    [circle.id, second],
    [other.id, second],
    [circle.id, third],
  ] as const) {
    const visitor = server.visit(id, { proto: 'tcp', first: 'x', clientAddr });
    await visitor.over();
    expect(visitor.resetCode).toBe(MuxErrorCode.streamRefused);
  }
  expect(came).toHaveLength(3);
  // Once closed, the address may be anybody's.
  came[0]?.resetAndDestroy();
  await expect
    .poll(async () => {
      const visitor = server.visit(circle.id, { proto: 'tcp', first: 'x', clientAddr: first });
      await Promise.race([visitor.over(), new Promise((resolve) => setTimeout(resolve, 50))]);
      return visitor.resetCode;
    })
    .toBeUndefined();
});

test('a visitor is judged when connections that are on their way have told their addresses', async () => {
  const circles = new Circles(
    () => 0,
    () => true,
  );
  const { port } = door.address() as net.AddressInfo;
  const first = circles.enter('192.0.2.1:1', 'a');
  if (first === null) throw new Error('nobody has come before');
  const socket = net.connect(port, '127.0.0.1');
  circles.dial(socket, port, first);
  expect(circles.undecided('192.0.2.2:2')).toBe(true);
  await new Promise((resolve) => socket.once('connect', resolve));
  expect(circles.undecided('192.0.2.2:2')).toBe(false);
  const address = `127.0.0.1:${socket.localPort}`;
  expect(circles.enter(address, 'a')).toBeNull();
  const refused = net.connect(port, '127.0.0.1');
  circles.dial(refused, port, first);
  refused.destroy();
  await new Promise((resolve) => refused.once('close', resolve));
  expect(circles.undecided('192.0.2.2:2')).toBe(false);
  socket.destroy();
  await new Promise((resolve) => socket.once('close', resolve));
  expect(circles.enter(address, 'a')).not.toBeNull();
});
