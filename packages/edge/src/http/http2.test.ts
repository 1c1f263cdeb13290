import type { ServerResponse } from 'node:http';
import { connect, constants, createServer, type IncomingHttpHeaders } from 'node:http2';
import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, get, harness, jsonIn, type Harness, type HarnessOptions, sleep } from '../testing/http-harness.ts';
import { listening, nodeService, rawService, type Service } from '../testing/services.ts';

async function edgeTo(
  service: Service,
  protocol: 'http1' | 'http2',
  options: HarnessOptions = {},
): Promise<Harness & AsyncDisposable> {
  const edge = await harness({ ...options, agents: { s1: dial(service.port) } });
  edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1', { protocol })] }));
  return edge;
}

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly interim: number[];
}

function ask(
  edge: Harness,
  headers: Record<string, string>,
  body: Buffer | null = null,
  trailers: Record<string, string> | null = null,
): Promise<Answer> {
  const session = connect(`http://127.0.0.1:${edge.port}`, { maxSessionMemory: 100 });
  return new Promise<Answer>((resolve, reject) => {
    session.on('error', reject);
    const stream = session.request(
      { ':path': '/', ':authority': 'app.test', ':scheme': 'http', ...headers },
      { endStream: body === null, waitForTrailers: trailers !== null },
    );
    const parts: Buffer[] = [];
    const interim: number[] = [];
    let answered: IncomingHttpHeaders = {};
    let trailing: IncomingHttpHeaders = {};
    stream.on('headers', (one) => interim.push(Number(one[':status'])));
    stream.on('response', (one) => {
      answered = one;
    });
    stream.on('trailers', (one) => {
      trailing = one;
    });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers ?? {}));
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('error', reject);
    // 'end', not 'close': a reset would do for that.
    stream.on('end', () =>
      process.nextTick(() => {
        session.close();
        resolve({ headers: answered, trailers: trailing, body: Buffer.concat(parts), interim });
      }),
    );
    if (body !== null) stream.end(body);
  });
}

function grpc(): Promise<Service> {
  const server = createServer();
  server.on('stream', (stream, headers) => {
    const parts: Buffer[] = [];
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'x-te': String(headers['te']) },
        { waitForTrailers: true },
      );
      stream.on('wantTrailers', () =>
        stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': headers[':path'] ?? '' }),
      );
      stream.end(Buffer.concat(parts));
    });
  });
  return listening(server);
}

describe('HTTP/2 visitors', () => {
  test('reach an HTTP/1 service', async () => {
    await using service = await nodeService((request, response) => {
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      response.writeEarlyHints({ link: '</a.css>; rel=preload' });
      response.end(JSON.stringify([request.method, request.url, request.headers]));
    });
    await using edge = await edgeTo(service, 'http1', { http2: true });
    const answer = await ask(edge, { ':path': '/x?y=1', cookie: 'c=3' });
    expect(answer.headers[':status']).toBe(200);
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(answer.headers['connection']).toBeUndefined();
    expect(answer.interim).toEqual([103]);
    expect(jsonIn(answer.body.toString())).toMatchObject([
      'GET',
      '/x?y=1',
      { host: 'app.test', cookie: 'c=3', 'x-forwarded-for': '192.0.2.7' },
    ]);
    expect(edge.events[0]).toMatchObject({ status: 200, host: 'app.test', reason: 'complete' });
  });

  test('send bodies of unknown length in chunks, with trailers both ways', async () => {
    const seen: string[] = [];
    await using service = await rawService((socket) => {
      socket.on('data', (chunk: Buffer) => {
        seen.push(chunk.toString('latin1'));
        if (seen.join('').endsWith('x-sum: 7\r\n\r\n')) {
          socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-End: 9\r\n\r\n');
        }
      });
    });
    await using edge = await edgeTo(service, 'http1', { http2: true });
    const answer = await ask(edge, { ':method': 'POST' }, Buffer.from('hello'), { 'x-sum': '7' });
    expect(seen.join('')).toContain('5\r\nhello\r\n0\r\nx-sum: 7\r\n\r\n');
    expect(answer.body.toString()).toBe('ok');
    expect(answer.trailers['x-end']).toBe('9');
  });

  test('move 20 MB each way byte exact', async () => {
    await using service = await nodeService((request, response) => request.pipe(response));
    await using edge = await edgeTo(service, 'http1', { http2: true });
    const body = Buffer.alloc(20_000_000);
    for (let at = 0; at < body.length; at += 4) body.writeUInt32LE((at * 2_654_435_761) >>> 0, at);
    const answer = await ask(edge, { ':method': 'POST', 'content-length': String(body.length) }, body);
    expect(answer.body.equals(body)).toBe(true);
  });

  test('get pages for what they ask in vain', async () => {
    await using edge = await harness({ http2: true });
    const offline = await ask(edge, { ':authority': 'nobody.test', accept: 'application/json' });
    expect(offline.headers[':status']).toBe(404);
    expect(offline.headers['ngrok-error-code']).toBe('ERR_NGROK_3200');
    expect(JSON.parse(offline.body.toString())).toMatchObject({ error_code: 'ERR_NGROK_3200', status_code: 404 });
  });

  test('an answer before the end of the request ends the stream without an error', async () => {
    await using service = await rawService((socket) => {
      socket.once('data', () => {
        socket.pause();
        socket.write('HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\n\r\nbig');
      });
    });
    await using edge = await edgeTo(service, 'http1', { http2: true });
    const answer = await ask(edge, { ':method': 'POST' }, Buffer.alloc(3_000_000));
    expect(answer.headers[':status']).toBe(413);
    expect(answer.body.toString()).toBe('big');
  });

  test('that reset streams without end are disconnected', async () => {
    await using service = await nodeService(() => {});
    await using edge = await edgeTo(service, 'http1', { http2: true });
    const session = connect(`http://127.0.0.1:${edge.port}`);
    session.on('error', () => {});
    for (let count = 0; count < 1_000 && !session.destroyed; count++) {
      const stream = session.request({ ':path': '/', ':authority': 'app.test' });
      stream.on('error', () => {});
      stream.close(constants.NGHTTP2_CANCEL);
      if (count % 50 === 0) await sleep(5);
    }
    await expect.poll(() => session.destroyed).toBe(true);
  });

  test('are told by GOAWAY when the server drains', async () => {
    const waiting: ServerResponse[] = [];
    await using service = await nodeService((_, response) => void waiting.push(response));
    await using edge = await edgeTo(service, 'http1', { http2: true });
    const busy = ask(edge, {});
    await expect.poll(() => waiting).toHaveLength(1);
    const drained = edge.service.drain();
    waiting[0]?.end('done');
    expect((await busy).body.toString()).toBe('done');
    await drained;
  });
});

describe('HTTP/2 upstreams', () => {
  test('answer gRPC with trailers, several requests on one stream of the agent', async () => {
    await using service = await grpc();
    await using edge = await edgeTo(service, 'http2', { http2: true });
    const session = connect(`http://127.0.0.1:${edge.port}`);
    const call = (path: string): Promise<[string, IncomingHttpHeaders]> =>
      new Promise((resolve, reject) => {
        const stream = session.request({
          ':method': 'POST',
          ':path': path,
          ':authority': 'app.test',
          te: 'trailers',
          'content-type': 'application/grpc',
        });
        let body = '';
        stream.on('data', (part: Buffer) => (body += part.toString()));
        stream.on('trailers', (trailers) => resolve([body, trailers]));
        stream.on('error', reject);
        stream.end('payload');
      });
    for (const [body, trailers] of await Promise.all([call('/a'), call('/b'), call('/c')])) {
      expect(body).toBe('payload');
      expect(trailers['grpc-status']).toBe('0');
    }
    const [, trailers] = await call('/d');
    expect(trailers['grpc-message']).toBe('/d');
    // Requests that arrive together before the first link is there may open one each; later ones share.
    expect(edge.agents.get('s1')?.streams).toBe(1);
    session.close();
  });

  test('that answer by a head alone have it end the stream', async () => {
    const server = createServer();
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200, 'grpc-status': '5' }, { endStream: true });
      stream.resume();
    });
    await using service = await listening(server);
    await using edge = await edgeTo(service, 'http2', { http2: true });
    const session = connect(`http://127.0.0.1:${edge.port}`);
    const stream = session.request({ ':method': 'POST', ':path': '/', ':authority': 'app.test' });
    const [status, flags] = await new Promise<[unknown, number]>((resolve, reject) => {
      stream.on('response', (headers, bits) => resolve([headers['grpc-status'], bits]));
      stream.on('error', reject);
      stream.end('payload');
    });
    expect([status, flags & constants.NGHTTP2_FLAG_END_STREAM]).toEqual(['5', constants.NGHTTP2_FLAG_END_STREAM]);
    session.destroy();
  });

  test('answer HTTP/1 visitors, trailers in chunks', async () => {
    await using service = await grpc();
    await using edge = await edgeTo(service, 'http2');
    const text = await edge.talk(
      'POST /p HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi',
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toContain('\r\n2\r\nhi\r\n0\r\ngrpc-status: 0\r\ngrpc-message: /p\r\n\r\n');
    expect(text).toContain('x-te: trailers');
  });

  test('that speak HTTP/1 or are not there are told apart', async () => {
    await using service = await nodeService((_, response) => response.end());
    await using edge = await edgeTo(service, 'http2');
    const wrong = await edge.talk(get('/', 'Connection: close\r\n'));
    expect(wrong).toMatch(/^HTTP\/1\.1 502 .*ERR_NGROK_3004/s);
    edge.agents.get('s1')?.lose();
    expect(await edge.talk(get('/', 'Connection: close\r\n'))).toMatch(/^HTTP\/1\.1 502 .*ERR_NGROK_3210/s);
  });
});
