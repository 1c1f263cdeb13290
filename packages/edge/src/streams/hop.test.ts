/** Two edges of one node: visitors come to one, the agent's wire is at the other. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MuxErrorCode } from '@postern/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEdge, type Edge } from '../edge.ts';
import { AGENT_CERTIFICATE, AGENT_NAME, edgeTestConfig, eventually, TEST_LIMITS } from '../testing/edge-harness.ts';
import { echo, FakeAgent, IDLE, type StreamTaker } from '../testing/fake-agent.ts';
import { FakeControl } from '../testing/fake-control.ts';
import { endpoint, SILENT_LOG, upstream } from '../testing/fixtures.ts';
import { sleep } from '../testing/http-harness.ts';
import { boundAddresses, LOOPBACK, openListeners, type BoundAddresses } from '../testing/open-listeners.ts';

const PLACES = 6;
const HOST = 'Host: web.example.test\r\n';
const PAGE = `GET / HTTP/1.1\r\n${HOST}\r\n`;
const UPGRADE = `GET /ws HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;

interface Side {
  readonly edge: Edge;
  readonly control: FakeControl;
  readonly addresses: BoundAddresses;
}

let directory = '';
let here: Side;
let there: Side;
let agent: FakeAgent;
const sockets: Socket[] = [];

async function side(name: string): Promise<Side> {
  const control = new FakeControl();
  control.certificates.set(AGENT_NAME, AGENT_CERTIFICATE);
  const listeners = await openListeners(LOOPBACK);
  const edge = createEdge({
    config: edgeTestConfig({
      limits: { ...TEST_LIMITS, streamsPerSession: PLACES, queueMs: 2_000 },
    }),
    link: control,
    listeners,
    log: SILENT_LOG,
    now: Date.now,
    random: Math.random,
    peers: { name, directory },
  });
  await edge.start();
  return { edge, control, addresses: boundAddresses(listeners) };
}

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'postern-hop-'));
  here = await side('here');
  there = await side('there');
  agent = await FakeAgent.dial(there.addresses.agents.port, AGENT_CERTIFICATE.cert, AGENT_NAME);
  expect((await agent.auth()).error).toBeUndefined();
  agent.onStream(service);
  const bound = await agent.bind('http://web.example.test');
  // Our heartbeat has its place, which it would take at some time, and of the agent's own questions none is under way.
  expect(await there.control.edge.probeSession('ts_1')).toBe(true);
  await eventually(() => there.edge.stats().agentStreams === 1);
  const at = { ...upstream('ts_1', bound.id), edge: 'there' };
  await here.control.push(endpoint(bound.id, 'http', 'web.example.test', { upstreams: [at] }));
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  agent.close();
  await Promise.all([here.edge.stop(), there.edge.stop()]);
  await rm(directory, { recursive: true, force: true });
});

/** Says how many requests of a stream it has seen; `/ws` becomes bytes that come back, `/cut` an answer that is cut off. */
const service: StreamTaker = (stream, header, rest) => {
  if (String(rest).startsWith('GET /ws ')) {
    stream.write(Buffer.from('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'));
    return echo(stream, header, Buffer.alloc(0));
  }
  let count = 0;
  const answer = (chunk: Buffer): void => {
    count += 1;
    if (String(chunk).startsWith('GET /cut ')) {
      stream.write(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'));
      // Behind the bytes, as a service does that breaks down: in the mux it would take them with it.
      void sleep(20).then(() => stream.reset(MuxErrorCode.internal));
    } else stream.write(Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n#${count}`));
  };
  answer(rest);
  return {
    ...IDLE,
    onData: (chunk) => {
      stream.consume(chunk.length);
      answer(chunk);
    },
    onEnd: () => stream.end(),
  };
};

async function visitor(
  at: Side,
): Promise<{ socket: Socket; ask: (text: string, until: string | RegExp) => Promise<string> }> {
  const socket = connect({ host: '127.0.0.1', port: at.addresses.http.port, allowHalfOpen: true });
  sockets.push(socket);
  socket.on('error', () => {});
  let text = '';
  socket.on('data', (chunk) => (text += String(chunk)));
  await once(socket, 'connect');
  return {
    socket,
    async ask(request, until) {
      text = '';
      socket.write(request);
      await eventually(() => (typeof until === 'string' ? text.includes(until) : until.test(text)) || socket.destroyed);
      return text;
    },
  };
}

test('a request crosses, with the address of its visitor, and the next one goes the same way', async () => {
  const { socket, ask } = await visitor(here);
  expect(await ask(PAGE, '#1')).toContain('200 OK');
  expect(await ask(PAGE, '#2')).toContain('200 OK');
  expect(agent.headers.map(({ clientAddr }) => clientAddr)).toEqual([`127.0.0.1:${socket.localPort}`]);
  expect(here.edge.stats()).toMatchObject({ crossedStreams: 1, agentStreams: 0 });
  expect(there.edge.stats()).toMatchObject({ crossedStreams: 0 });
});

test('bytes go both ways with a half-close, and the place is free behind them', async () => {
  const { socket, ask } = await visitor(here);
  await ask(UPGRADE, '\r\n\r\n');
  const bulk = Buffer.alloc(3_000_000, 'postern ');
  let length = 0;
  socket.removeAllListeners('data');
  socket.on('data', (chunk: Buffer) => (length += chunk.length));
  const used = there.edge.stats().places.used;
  socket.end(bulk);
  await once(socket, 'end');
  expect(length).toBe(bulk.length);
  await eventually(() => there.edge.stats().places.used === used - 1);
});

test('who leaves is told of', async () => {
  const { socket, ask } = await visitor(here);
  const before = there.edge.stats().places.used;
  await ask(UPGRADE, '\r\n\r\n');
  expect(there.edge.stats().places.used).toBe(before + 1);
  socket.resetAndDestroy();
  await eventually(() => there.edge.stats().places.used === before);
});

test('an answer that is cut off is one: the request is not sent again', async () => {
  const { socket, ask } = await visitor(here);
  expect(await ask(`GET /cut HTTP/1.1\r\n${HOST}\r\n`, 'half')).toMatch(/^HTTP\/1\.1 200 [^]*half$/);
  await eventually(() => socket.destroyed || socket.readableEnded);
  expect(agent.headers).toHaveLength(1);
});

const freePlaces = (): number => there.edge.stats().places.free;

describe('places', () => {
  test('are those of the session, wherever visitors come to: who waits in vain is told so', async () => {
    const holders = await Promise.all(
      Array.from({ length: freePlaces() }, (_, n) => visitor(n % 2 === 0 ? here : there)),
    );
    await Promise.all(holders.map(({ ask }) => ask(UPGRADE, '\r\n\r\n')));
    for (const at of [here, there]) {
      const late = await visitor(at);
      const answer = await late.ask(PAGE, '\r\n\r\n');
      expect(answer).toMatch(/^HTTP\/1\.1 503 [^]*ERR_NGROK_743/i);
      // The session's own limit, also where another edge tells it.
      expect(answer).toContain(`carries ${PLACES} connections`);
    }
    // One that becomes free goes to who waits across.
    const waiting = await visitor(here);
    const answered = waiting.ask(PAGE, '#1');
    await eventually(() => there.edge.stats().places.waiting === 1);
    holders[1]?.socket.destroy();
    expect(await answered).toContain('200 OK');
  });

  test('that visitors of another edge keep for their next request are given to who waits', async () => {
    const idle = await Promise.all(Array.from({ length: freePlaces() }, () => visitor(here)));
    await Promise.all(idle.map(({ ask }) => ask(PAGE, '#1')));
    expect(freePlaces()).toBe(0);
    const other = await visitor(there);
    expect(await other.ask(PAGE, '\r\n\r\n')).toContain('200 OK');
    // And those visitors are served as before.
    expect(await idle[0]?.ask(PAGE, /#\d/)).toContain('200 OK');
  });
});

test('a session that is gone there is gone here, before routes say so', async () => {
  const { ask } = await visitor(here);
  await ask(PAGE, '#1');
  agent.close();
  await eventually(() => there.edge.stats().agentSessions === 0);
  expect(await ask(PAGE, '\r\n\r\n')).toMatch(/^HTTP\/1\.1 502 [^]*ERR_NGROK_3210/i);
});

test('an edge that has ended is dialled no more, and its visitors here are told', async () => {
  const { ask } = await visitor(here);
  await ask(PAGE, '#1');
  await there.edge.stop();
  expect(await ask(PAGE, '\r\n\r\n')).toMatch(/^HTTP\/1\.1 502 [^]*ERR_NGROK_3210/i);
  expect(await ask(PAGE, '\r\n\r\n')).toMatch(/^HTTP\/1\.1 502 /);
});
