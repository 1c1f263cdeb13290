/**
 * A mistake of ours in a callback that an HTTP/2 service makes costs the connection of the visitor whom it serves: not
 * the process, not the agent session, not the visitor beside it.
 */
import type { EventEmitter } from 'node:events';
import { connect, createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { MuxStream } from '@postern/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, type Harness, harness, sleep } from '../testing/http-harness.ts';
import { listening, type Service } from '../testing/services.ts';
import { EndWatch } from './client/end-watch.ts';
import { KeptIndex } from './client/kept.ts';
import { Http2Link } from './client/links.ts';
import { Exchange } from './exchange/exchange.ts';

afterEach(() => void vi.restoreAllMocks());

interface Slow extends Service {
  /** Requests that have come. */
  readonly came: () => number;
  /** Lets those for `/slow` be answered. */
  readonly release: () => void;
}

/** Early hints, a body in two pieces and trailers; `/slow` is answered later, and `/bye` is the last of its connection. */
async function service(): Promise<Slow> {
  const server = createServer();
  const held = Promise.withResolvers<void>();
  let came = 0;
  server.on('session', (session: ServerHttp2Session) => session.on('error', () => {}));
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const path = headers[':path'] ?? '';
    came++;
    stream.on('error', () => {}).resume();
    if (path === '/reset') return stream.close(2);
    if (path === '/bye') stream.session?.goaway(0, stream.id);
    const answer = (): void => {
      if (stream.closed) return;
      stream.additionalHeaders({ ':status': 103, link: '</a>' });
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': '1' }));
      stream.write('one');
      stream.end('two');
    };
    if (path === '/slow') void held.promise.then(answer);
    else answer();
  });
  return { ...(await listening(server)), came: () => came, release: held.resolve };
}

interface Asked {
  readonly text: () => string;
  readonly closed: Promise<void>;
  readonly leave: () => void;
}

const BODY = Buffer.alloc(200_000);

const ended = (emitter: EventEmitter): Promise<void> =>
  new Promise((resolve) => void emitter.on('error', () => {}).on('close', resolve));

function ask2(edge: Harness, method: string, path: string): Asked {
  const session = connect(`http://127.0.0.1:${edge.port}`);
  const closed = ended(session);
  const stream = session.request({ ':method': method, ':path': path, ':authority': 'app.test' });
  stream.on('error', () => {});
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  stream.end(method === 'POST' ? BODY : undefined);
  return { text: () => text, closed, leave: () => session.destroy() };
}

function ask1(edge: Harness, method: string, path: string): Asked {
  const socket = edge.connect();
  const closed = ended(socket);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const body = method === 'POST' ? BODY : Buffer.alloc(0);
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${body.length}\r\n\r\n`);
  socket.write(body);
  return { text: () => text, closed, leave: () => socket.destroy() };
}

/** Where the mistake is, and what it takes to come there. */
const PLACES: [string, string, (edge: Harness) => unknown][] = [
  ['hints', '/', () => vi.spyOn(Exchange.prototype, 'informational').mockImplementationOnce(slip)],
  ['the head', '/', () => vi.spyOn(Exchange.prototype, 'responseHead').mockImplementationOnce(slip)],
  ['the body', '/', () => vi.spyOn(Exchange.prototype, 'responseBody').mockImplementationOnce(slip)],
  ['trailers', '/', () => vi.spyOn(Exchange.prototype, 'responseTrailers').mockImplementationOnce(slip)],
  ['the end', '/', () => vi.spyOn(Exchange.prototype, 'responseEnd').mockImplementationOnce(slip)],
  ['a reset', '/reset', () => vi.spyOn(Exchange.prototype, 'upstreamFailed').mockImplementationOnce(slip)],
  ['room for the request', '/', () => vi.spyOn(Exchange.prototype, 'upstreamDrained').mockImplementationOnce(slip)],
  ['a link that is free', '/', () => vi.spyOn(KeptIndex.prototype, 'add').mockImplementationOnce(slip)],
  ['GOAWAY', '/bye', () => afterFirst(vi.spyOn(KeptIndex.prototype, 'remove'))],
  ['bytes of the agent', '/', () => vi.spyOn(EndWatch.prototype, 'read').mockImplementationOnce(slip)],
  ['bytes for the agent', '/', (edge) => next(edge, (stream) => vi.spyOn(stream, 'write').mockImplementation(slip))],
  ['credit for the agent', '/', (edge) => next(edge, (stream) => vi.spyOn(stream, 'consume').mockImplementation(slip))],
  ['a timer', '/', () => vi.spyOn(Http2Link.prototype, 'destroy').mockImplementationOnce(slip)],
];

function slip(): never {
  throw new TypeError('planted');
}

/** The next stream into an agent. */
function next({ context: { agents } }: Harness, plant: (stream: MuxStream) => void): void {
  const open = agents.open.bind(agents);
  vi.spyOn(agents, 'open').mockImplementationOnce((...args) => {
    const stream = open(...args);
    plant(stream);
    return stream;
  });
}

/** A link is busy before anything else happens to it. */
function afterFirst(spy: {
  mockImplementationOnce(by: () => void): { mockImplementationOnce(by: () => never): void };
}): void {
  spy.mockImplementationOnce(() => {}).mockImplementationOnce(slip);
}

describe.each([
  ['HTTP/1', ask1],
  ['HTTP/2', ask2],
])('a mistake with an HTTP/2 service costs one connection of %s', (version, asks) => {
  test.each(PLACES)('in the callback of %s', async (_where, path, plant) => {
    await using to = await service();
    const http2 = version === 'HTTP/2';
    await using edge = await harness({ http2, limits: { upstreamIdleMs: 100 }, agents: { s1: dial(to.port) } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1', { protocol: 'http2' })] }));
    const other = asks(edge, 'GET', '/slow');
    await expect.poll(() => to.came()).toBe(1);
    await sleep(20);
    plant(edge);
    const victim = asks(edge, 'POST', path);
    await victim.closed;
    const faults = edge.context.faults.count;
    expect(faults).toBeGreaterThan(0);
    to.release();
    await expect.poll(() => other.text()).toContain('two');
    other.leave();
    await other.closed;
    // Nothing of the victim is left at the agent, whose session serves on.
    await expect.poll(() => edge.agents.get('s1')?.server.streamCount).toBe(0);
    const last = asks(edge, 'POST', '/');
    await expect.poll(() => last.text()).toContain('two');
    last.leave();
    expect(edge.context.faults.count).toBe(faults);
  });
});
