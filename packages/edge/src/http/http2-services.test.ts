/** HTTP/2 services with manners of their own: what they leave untouched is tried again, what they end with arrives. */
import { connect, createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { Flag, frame, FrameType, literal, words } from '../testing/h2-frames.ts';
import { byHand, type OnFrame } from '../testing/hand-made-http2.ts';
import { dial, type Harness, harness } from '../testing/http-harness.ts';
import { listening, type Service } from '../testing/services.ts';

const END_STREAM = 1;
const END_HEADERS = 4;
const REFUSED_STREAM = 7;
/** `:status: 200` of the static table (RFC 7541, appendix A). */
const OK = Buffer.from([0x88]);

async function edgeTo(service: Service, http2: boolean): Promise<Harness & AsyncDisposable> {
  const edge = await harness({ http2, agents: { s1: dial(service.port) } });
  edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1', { protocol: 'http2' })] }));
  return edge;
}

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: string;
}

/** Posts each part when the one before has left, and reads the answer to its end. */
async function post(edge: Harness, parts: readonly Buffer[], between = 0): Promise<Answer> {
  const session = connect(`http://127.0.0.1:${edge.port}`);
  session.on('error', () => {});
  const stream = session.request({ ':method': 'POST', ':path': '/', ':authority': 'app.test', te: 'trailers' });
  const answer = Promise.withResolvers<Answer>();
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  let body = '';
  stream.on('response', (one) => (headers = one));
  stream.on('trailers', (one) => (trailers = one));
  stream.on('data', (part: Buffer) => (body += part.toString()));
  stream.on('error', answer.reject);
  stream.on('end', () => setImmediate(() => answer.resolve({ headers, trailers, body })));
  for (const part of parts) {
    stream.write(part);
    await new Promise((resolve) => setTimeout(resolve, between));
  }
  stream.end();
  try {
    return await answer.promise;
  } finally {
    session.destroy();
  }
}

/** Deals with the first request as told, and echoes the bodies of all others. */
function echoAfter(first: OnFrame): Promise<Service> {
  let begun = 0;
  const refused = new Set<string>();
  const bodies = new Map<string, Buffer>();
  const ids = new Map<Socket, number>();
  return byHand((socket, type, flags, id, payload) => {
    if (!ids.has(socket)) ids.set(socket, ids.size);
    const key = `${ids.get(socket)}/${id}`;
    if (type === FrameType.headers && begun++ === 0) refused.add(key);
    if (refused.has(key)) return first(socket, type, flags, id, payload);
    if (type === FrameType.data) bodies.set(key, Buffer.concat([bodies.get(key) ?? Buffer.alloc(0), payload]));
    if ((flags & END_STREAM) === 0) return;
    socket.write(frame(FrameType.headers, END_HEADERS, id, OK));
    socket.write(frame(FrameType.data, END_STREAM, id, bodies.get(key)));
  });
}

describe('a request that the service has not taken', () => {
  test('by REFUSED_STREAM is tried again with its body, whatever its method', async () => {
    await using service = await echoAfter((socket, type, _flags, id) => {
      if (type === FrameType.data) socket.write(frame(FrameType.resetStream, 0, id, words(REFUSED_STREAM)));
    });
    await using edge = await edgeTo(service, true);
    const { headers, body } = await post(edge, [Buffer.from('all of it')]);
    expect([headers[':status'], body]).toEqual([200, 'all of it']);
  });

  test('while its body is still coming loses none of it', async () => {
    await using service = await echoAfter((socket, type, _flags, id) => {
      if (type === FrameType.headers) socket.write(frame(FrameType.resetStream, 0, id, words(REFUSED_STREAM)));
    });
    await using edge = await edgeTo(service, true);
    const parts = Array.from({ length: 20 }, (_, at) => Buffer.from(`${at},`));
    const { headers, body } = await post(edge, parts, 5);
    expect([headers[':status'], body]).toEqual([200, parts.join('')]);
  });

  test('by GOAWAY is tried again on another connection', async () => {
    await using service = await echoAfter((socket, type, _flags, id) => {
      if (type === FrameType.data) socket.end(frame(FrameType.goAway, 0, 0, words(id - 1, 0)));
    });
    await using edge = await edgeTo(service, true);
    const { headers, body } = await post(edge, [Buffer.from('again')]);
    expect([headers[':status'], body]).toEqual([200, 'again']);
    expect(edge.agents.get('s1')?.streams).toBe(2);
  });

  test('by GOAWAY with an error is tried again, too', async () => {
    await using service = await echoAfter((socket, type, _flags, id) => {
      if (type === FrameType.data) socket.end(frame(FrameType.goAway, 0, 0, words(id - 1, 11)));
    });
    await using edge = await edgeTo(service, true);
    const { headers, body } = await post(edge, [Buffer.from('calm')]);
    expect([headers[':status'], body]).toEqual([200, 'calm']);
  });

  test('and that is larger than what is kept is answered 502', async () => {
    let sent = 0;
    await using service = await echoAfter((socket, type, _flags, id, payload) => {
      if (type !== FrameType.data) return;
      sent += payload.length;
      if (sent >= 65_535) socket.write(frame(FrameType.resetStream, 0, id, words(REFUSED_STREAM)));
    });
    await using edge = await edgeTo(service, true);
    const { headers } = await post(edge, [Buffer.alloc(500_000)]);
    expect(headers[':status']).toBe(502);
  });

  test('but taken, by GOAWAY that names it, is not: it may have been done', async () => {
    let begun = 0;
    await using service = await byHand((socket, type, _flags, id) => {
      if (type === FrameType.headers) begun++;
      if (type === FrameType.data) socket.end(frame(FrameType.goAway, 0, 0, words(id, 0)));
    });
    await using edge = await edgeTo(service, true);
    const { headers } = await post(edge, [Buffer.from('once')]);
    expect([headers[':status'], begun]).toEqual([502, 1]);
  });

  test('ever is given up on', async () => {
    let begun = 0;
    await using service = await byHand((socket, type, _flags, id) => {
      if (type !== FrameType.headers) return;
      begun++;
      socket.write(frame(FrameType.resetStream, 0, id, words(REFUSED_STREAM)));
    });
    await using edge = await edgeTo(service, true);
    const { headers } = await post(edge, [Buffer.from('x')]);
    expect(headers[':status']).toBe(502);
    expect(begun).toBeLessThan(6);
  });
});

describe('an answer with a length and trailers', () => {
  const trailing = (body: string, length: string): Promise<Service> => {
    const server = createServer();
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => {}).resume();
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'content-length': length },
        { waitForTrailers: true },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(body);
    });
    return listening(server);
  };

  test.each([
    ['hello', '5'],
    ['', '0'],
  ])('reaches an HTTP/2 visitor whole: %j', async (text, length) => {
    await using service = await trailing(text, length);
    await using edge = await edgeTo(service, true);
    const { headers, trailers, body } = await post(edge, []);
    expect([headers['content-length'], body, trailers['grpc-status']]).toEqual([
      text === '' ? undefined : length,
      text,
      '0',
    ]);
  });

  test('reaches an HTTP/1.1 visitor in chunks', async () => {
    await using service = await trailing('hello', '5');
    await using edge = await edgeTo(service, false);
    const text = await edge.talk('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    expect(text).toContain('\r\n5\r\nhello\r\n0\r\ngrpc-status: 0\r\n\r\n');
    expect(text.toLowerCase()).not.toContain('content-length');
  });

  test('reaches an HTTP/1.0 visitor without them', async () => {
    await using service = await trailing('hello', '5');
    await using edge = await edgeTo(service, false);
    expect(await edge.talk('GET / HTTP/1.0\r\nHost: app.test\r\n\r\n')).toMatch(
      /content-length: 5\r\n.*\r\n\r\nhello$/s,
    );
  });
});

describe('an answer that is broken off with NO_ERROR', () => {
  test('behind an end that comes before its length is never taken for complete', async () => {
    await using service = await byHand((socket, type, _flags, id) => {
      if (type !== FrameType.headers) return;
      const head = Buffer.concat([OK, literal('content-length', '5')]);
      socket.write(
        Buffer.concat([
          frame(FrameType.headers, END_HEADERS, id, head),
          frame(FrameType.data, Flag.endStream, id),
          frame(FrameType.resetStream, 0, id, words(0)),
        ]),
      );
    });
    await using edge = await edgeTo(service, true);
    for (let count = 0; count < 20; count++) {
      const session = connect(`http://127.0.0.1:${edge.port}`);
      session.on('error', () => {});
      const stream = session.request({ ':method': 'POST', ':path': '/', ':authority': 'app.test' });
      stream.on('error', () => {});
      stream.write('not all of it');
      stream.resume();
      await new Promise((resolve) => stream.once('close', resolve));
      expect(stream.rstCode).not.toBe(0);
      session.destroy();
    }
    expect(edge.events.map(({ reason }) => reason)).not.toContain('complete');
  });

  test.each([true, false])('is never taken for complete (visitor over HTTP/2: %s)', async (http2) => {
    await using service = await byHand((socket, type, _flags, id) => {
      if (type !== FrameType.headers) return;
      socket.write(frame(FrameType.headers, END_HEADERS, id, OK));
      socket.write(frame(FrameType.data, 0, id, Buffer.from('half')));
      socket.write(frame(FrameType.resetStream, 0, id, words(0)));
    });
    await using edge = await edgeTo(service, http2);
    if (http2) {
      const session = connect(`http://127.0.0.1:${edge.port}`);
      session.on('error', () => {});
      const stream = session.request({ ':path': '/', ':authority': 'app.test' });
      stream.on('error', () => {});
      stream.resume();
      await new Promise((resolve) => stream.once('close', resolve));
      expect(stream.rstCode).not.toBe(0);
      session.destroy();
    } else {
      const text = await edge.talk('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
      expect(text).toContain('half');
      expect(text).not.toContain('\r\n0\r\n');
    }
    expect(edge.events.map(({ reason }) => reason)).not.toContain('complete');
  });
});

describe('a service that says farewell with its answer', () => {
  test.each([
    ['GOAWAY, the answer and its end', (id: number) => [frame(FrameType.goAway, 0, 0, words(id, 0)), answer(id)]],
    ['the answer and its end', (id: number) => [answer(id)]],
    ['half a frame behind the answer', (id: number) => [answer(id), Buffer.alloc(5)]],
  ])('in one piece is no mistake: %s', async (_, says) => {
    await using service = await byHand((socket, type, _flags, id) => {
      if (type === FrameType.headers) socket.end(Buffer.concat(says(id)));
    });
    await using edge = await edgeTo(service, true);
    for (let count = 0; count < 100; count++) {
      const session = connect(`http://127.0.0.1:${edge.port}`);
      session.on('error', () => {});
      const streams = Array.from({ length: 3 }, () => session.request({ ':path': '/', ':authority': 'app.test' }));
      await Promise.all(
        streams.map((stream) => {
          stream.on('error', () => {}).resume();
          return new Promise((resolve) => stream.once('close', resolve));
        }),
      );
      session.destroy();
    }
    expect(edge.context.faults.count).toBe(0);
  });
});

const answer = (id: number): Buffer =>
  Buffer.concat([frame(FrameType.headers, END_HEADERS, id, OK), frame(FrameType.data, Flag.endStream, id, 'hello')]);
