import net, { type Socket } from 'node:net';
import { MuxErrorCode } from '@postern/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentSession, ListenOptions } from '../options.ts';
import { connectAgent } from '../session.ts';
import { TEST_CERT } from '../testing/identity.ts';
import { Services } from '../testing/services.ts';
import { TestServer, type Visitor } from '../testing/server.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n';
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

let server: TestServer;
let agent: AgentSession;
let services: Services;
/** What came to the service, and over which of its connections. */
let seen: { readonly request: string; readonly socket: Socket }[];
/** What the service does with a request; by default it answers. */
let serve: (request: string, socket: Socket) => void;

beforeEach(async () => {
  server = new TestServer();
  services = new Services();
  seen = [];
  serve = (_request, socket) => socket.write(ANSWER);
  await server.listen();
  agent = connectAgent({ serverAddr: server.addr, ca: TEST_CERT, authtoken: 't' });
});

afterEach(async () => {
  await agent.close(0);
  await server.close();
  await services.close();
});

async function listen(options: Partial<ListenOptions> = {}): Promise<string> {
  const port = await services.start(
    net.createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        const request = String(chunk);
        seen.push({ request, socket });
        serve(request, socket);
      });
    }),
  );
  const listener = await agent.listen({ upstream: `http://127.0.0.1:${port}`, ...options });
  return listener.id;
}

/** A visitor who has been answered, and whose stream the server lets go of. */
async function visit(id: string, request = GET): Promise<Visitor> {
  const visitor = server.visit(id, { first: request, proto: 'http' });
  await visitor.until(() => visitor.text.endsWith(ANSWER));
  visitor.stream.reset(MuxErrorCode.released);
  return visitor;
}

const connections = (): number => new Set(seen.map(({ socket }) => socket)).size;

test('a service has one connection for one visitor after another, however it is asked', async () => {
  const id = await listen();
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'GET']) await visit(id, GET.replace('GET', method));
  expect(seen).toHaveLength(4);
  expect(connections()).toBe(1);
});

test('visitors at the same time have one each', async () => {
  const id = await listen();
  await Promise.all([visit(id), visit(id), visit(id)]);
  await Promise.all([visit(id), visit(id), visit(id)]);
  expect(seen).toHaveLength(6);
  expect(connections()).toBe(3);
});

test.each([
  ['may do something', POST],
  ['has a body', 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n'],
  ['changes the protocol', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ['is not whole', 'GET / HTTP/1.1\r\nHost: a\r\n'],
])('a request that %s goes over a connection of its own, in place of one that waits', async (_what, request) => {
  const id = await listen();
  await visit(id);
  const [first] = seen;
  const closed = new Promise((resolve) => first?.socket.once('close', resolve));
  await visit(id, request);
  await closed;
  expect(connections()).toBe(2);
});

test('a service that closes in that very moment is asked once more, on a new connection', async () => {
  const id = await listen();
  await visit(id);
  let closes = 2;
  serve = (_request, socket) => {
    closes -= 1;
    if (closes === 1) socket.destroy();
    else socket.write(ANSWER);
  };
  await visit(id);
  expect(seen.map(({ request }) => request)).toEqual([GET, GET, GET]);
  serve = (_request, socket) => void (closes++ === 0 ? socket.resetAndDestroy() : socket.write(ANSWER));
  await visit(id);
  expect(seen).toHaveLength(5);
  // On its own connection it is not asked again: the visitor's side decides.
  serve = (_request, socket) => socket.end();
  const last = server.visit(id, { first: POST, proto: 'http' });
  await last.over();
  expect([last.text, seen.length]).toEqual(['', 6]);
});

test('one that has begun to answer is not asked again', async () => {
  const id = await listen();
  await visit(id);
  serve = (_request, socket) => socket.end('HTTP/1.1 200 OK\r\n');
  const visitor = server.visit(id, { first: GET, proto: 'http' });
  await visitor.over();
  expect([visitor.text, seen.length]).toEqual(['HTTP/1.1 200 OK\r\n', 2]);
});

test('what comes unasked ends a connection that waits', async () => {
  const id = await listen();
  await visit(id);
  const [first] = seen;
  const closed = new Promise((resolve) => first?.socket.once('close', resolve));
  first?.socket.write('HTTP/1.1 408 Request Timeout\r\n\r\n');
  await closed;
  const visitor = await visit(id);
  expect([visitor.text, connections()]).toEqual([ANSWER, 2]);
});

test('it waits for a few seconds only, and not for an agent that leaves', async () => {
  const id = await listen();
  await visit(id);
  const waited = performance.now();
  await new Promise((resolve) => seen[0]?.socket.once('close', resolve));
  expect(performance.now() - waited).toBeGreaterThan(1_500);
  await visit(id);
  const closed = new Promise((resolve) => seen[1]?.socket.once('close', resolve));
  await agent.close(0);
  await closed;
});

test.each([
  ['a PROXY header says who comes', { proxyProto: 1 }],
  ['the service speaks HTTP/2', { forwardsProto: 'http2' }],
] as const)('where %s, nobody gets what another had', async (_why, options) => {
  const id = await listen(options);
  await visit(id);
  await visit(id);
  expect(connections()).toBe(2);
});

test('bytes are nobody else’s', async () => {
  const id = await listen({ proto: 'tcp', url: 'tcp://127.0.0.1:1' });
  for (let times = 0; times < 2; times++) {
    const visitor = server.visit(id, { first: GET, proto: 'tcp' });
    await visitor.until(() => visitor.text === ANSWER);
    visitor.stream.reset(MuxErrorCode.released);
  }
  expect(connections()).toBe(2);
});

test('who watches sees each visitor by himself', async () => {
  const watched: string[] = [];
  const id = await listen({
    watch: ({ clientAddr }) => ({
      fromVisitor: (chunk) => watched.push(`${clientAddr} ${String(chunk).split('\r\n', 1)[0] ?? ''}`),
      fromService: (chunk) => watched.push(String(chunk).split('\r\n', 1)[0] ?? ''),
      over: () => watched.push('over'),
    }),
  });
  await visit(id);
  await visit(id);
  await expect.poll(() => watched.length).toBe(6);
  expect(watched).toEqual(
    Array.from({ length: 2 }, () => ['192.0.2.1:1234 GET / HTTP/1.1', 'HTTP/1.1 200 OK', 'over']).flat(),
  );
  expect(connections()).toBe(1);
});
