/** Bytes that come round to the endpoint they entered through: stopped at the first return, not when places run out. */
import net from 'node:net';
import tls from 'node:tls';
import type { AgentSession } from '@postern/agent';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentOf } from '../support/agent.ts';
import { metric } from '../support/metrics.ts';
import { Platform, splitAddress } from '../support/platform.ts';

const NAME = 'circle.example.com';

let platform: Platform;
let agent: AgentSession;
const warnings: string[] = [];

beforeAll(async () => {
  // Public addresses are those that really listen: that the port is its own tells the agent that it dials the server.
  platform = await Platform.start({ publicPorts: 'listeners' });
  agent = agentOf(platform, {
    log: { debug() {}, info() {}, warn: (_fields, message) => void warnings.push(message) },
  });
});
afterAll(async () => {
  await agent?.close();
  await platform?.dispose();
});

/** @returns how many connections of `kind` the server has carried since, once the visitor's has ended */
async function carried(kind: string, socket: net.Socket, before: number): Promise<number> {
  await new Promise<void>((resolve) => socket.on('error', () => {}).on('close', () => resolve()));
  let now = Number.NaN;
  const count = async (): Promise<boolean> => {
    const last = now;
    now = await metric(platform, `postern_connections_total{kind="${kind}"}`);
    return now > before && now === last && (await metric(platform, 'postern_visitor_connections')) === 0;
  };
  await expect.poll(count, { interval: 250 }).toBe(true);
  return now - before;
}

test('a tcp endpoint whose service is its own address costs two connections', async () => {
  const found = await agent.listen({ proto: 'tcp', upstream: 'tcp://127.0.0.1:1' });
  const { url } = found;
  await found.close();
  const { port } = new URL(url);
  const listener = await agent.listen({ url, upstream: `tcp://127.0.0.1:${port}` });
  const before = await metric(platform, 'postern_connections_total{kind="tcp"}');
  const socket = net.connect(Number(port), '127.0.0.1');
  socket.resume().write('round and round');
  expect(await carried('tcp', socket, before)).toBe(2);
  expect(warnings).toEqual(['the upstream leads back to the endpoint that it serves']);
  await listener.close();
});

test('a tls endpoint whose service is its own address costs two connections', async () => {
  const [host, port] = splitAddress(platform.runtime.https_addr);
  const listener = await agent.listen({ url: `tls://${NAME}`, upstream: `tcp://${host}:${port}` });
  const before = await metric(platform, 'postern_connections_total{kind="tls"}');
  const socket = tls.connect({ host, port, servername: NAME, ca: platform.ca });
  socket.resume();
  expect(await carried('tls', socket, before)).toBe(2);
  await listener.close();
});
