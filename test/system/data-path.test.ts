/** What crosses the edge, byte for byte and header for header (issue list: large bodies, streams, HTTP/2, early answers). */
import { createHash, randomBytes } from 'node:crypto';
import type http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import tls from 'node:tls';
import type ngrok from '@ngrok/ngrok';
import grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Platform, splitAddress } from '../support/platform.ts';
import { sessionBuilder } from '../support/sdk.ts';
import { type Upstream, http2Upstream, httpUpstream } from '../support/upstream.ts';

let platform: Platform;
let session: ngrok.Session;
const upstreams: Upstream[] = [];

beforeAll(async () => {
  platform = await Platform.start();
  session = await sessionBuilder(platform).connect();
});
afterAll(async () => {
  // The SDK's close leaves its connection open and silent; the platform goes first, or its drain waits for that.
  await platform?.dispose();
  await session?.close().catch(() => undefined);
  await Promise.all(upstreams.map((upstream) => upstream.close()));
});

async function share(domain: string, handler: http.RequestListener): Promise<string> {
  const upstream = await httpUpstream(handler);
  upstreams.push(upstream);
  await session.httpEndpoint().domain(domain).listenAndForward(upstream.url);
  return `https://${domain}`;
}

/** An https request to the platform with streams in hand. */
function open(url: string, options: https.RequestOptions = {}): http.ClientRequest {
  const target = new URL(url);
  const [host, port] = splitAddress(platform.runtime.https_addr);
  return https.request({
    host,
    port,
    path: target.pathname + target.search,
    servername: target.hostname,
    ca: platform.ca,
    agent: false,
    ...options,
    headers: { host: target.host, ...(options.headers as http.OutgoingHttpHeaders) },
  });
}
const response = (request: http.ClientRequest): Promise<http.IncomingMessage> =>
  new Promise((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
  });

describe('bodies', () => {
  const size = 100 * 1024 * 1024;
  test('100 MB down is byte-exact', async () => {
    const block = randomBytes(1024 * 1024);
    const url = await share('down.example.com', (_request, reply) => {
      reply.writeHead(200, { 'content-length': size });
      let left = size / block.length;
      const push = (): void => {
        while (left > 0) {
          left -= 1;
          if (!reply.write(block)) return void reply.once('drain', push);
        }
        reply.end();
      };
      push();
    });
    const expected = createHash('sha256');
    for (let index = 0; index < size / block.length; index += 1) expected.update(block);
    const request = open(url);
    request.end();
    const answer = await response(request);
    const hash = createHash('sha256');
    for await (const chunk of answer) hash.update(chunk as Buffer);
    expect(hash.digest('hex')).toBe(expected.digest('hex'));
  }, 180_000);

  test('100 MB up is byte-exact', async () => {
    const url = await share('up.example.com', (request, reply) => {
      const hash = createHash('sha256');
      request.on('data', (chunk: Buffer) => hash.update(chunk));
      request.on('end', () => reply.end(hash.digest('hex')));
    });
    const block = randomBytes(1024 * 1024);
    const hash = createHash('sha256');
    const request = open(url, { method: 'POST' });
    const answer = response(request);
    for (let index = 0; index < size / block.length; index += 1) {
      hash.update(block);
      if (!request.write(block)) await new Promise((resolve) => request.once('drain', resolve));
    }
    request.end();
    let text = '';
    for await (const chunk of await answer) text += String(chunk);
    expect(text).toBe(hash.digest('hex'));
  }, 180_000);

  test('server-sent events arrive as they are sent', async () => {
    let send: (text: string) => void = () => undefined;
    const url = await share('events.example.com', (_request, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.flushHeaders();
      send = (text) => void reply.write(`data: ${text}\n\n`);
    });
    const request = open(url);
    request.end();
    const answer = await response(request);
    for (const word of ['one', 'two', 'three']) {
      const arrived = new Promise<string>((resolve) =>
        answer.once('data', (chunk: Buffer) => resolve(chunk.toString())),
      );
      send(word);
      expect(await arrived).toBe(`data: ${word}\n\n`);
    }
    request.destroy();
  });

  test('an early 413 reaches a client that is still sending', async () => {
    const url = await share('early.example.com', (request, reply) => {
      reply.writeHead(413);
      reply.end('too large');
      // It reads on, as servers do that linger: a reset would race its own answer into the SDK, before Postern sees it.
      request.resume();
    });
    const request = open(url, { method: 'POST', headers: { 'content-length': 5_000_000 } });
    request.on('error', () => undefined);
    const answer = response(request);
    request.write(Buffer.alloc(5_000_000));
    expect((await answer).statusCode).toBe(413);
    request.destroy();
  });
});

test('requests near the upstream’s keep-alive end never fail', async () => {
  const url = await share('keepalive.example.com', (_request, reply) => reply.end('ok'));
  const visitors = Array.from({ length: 100 }, (_, index) => ({
    agent: new https.Agent({ keepAlive: true, maxSockets: 1 }),
    pause: 4900 + index * 2,
  }));
  const statuses = await Promise.all(
    visitors.map(async ({ agent, pause }) => {
      const first = await platform.visit(url, { agent });
      await new Promise((resolve) => setTimeout(resolve, pause));
      const second = await platform.visit(url, { agent });
      agent.destroy();
      return [first.status, second.status];
    }),
  );
  expect(statuses.flat().filter((status) => status !== 200)).toEqual([]);
}, 120_000);

describe('HTTP/2', () => {
  test('a visitor speaks it, the upstream sees HTTP/1.1', async () => {
    const url = await share('h2.example.com', (request, reply) => {
      reply.setHeader('x-version', request.httpVersion);
      request.pipe(reply);
    });
    const [host, port] = splitAddress(platform.runtime.https_addr);
    const client = http2.connect(url, {
      createConnection: () =>
        tls.connect({ host, port, servername: new URL(url).hostname, ca: platform.ca, ALPNProtocols: ['h2'] }),
    });
    try {
      const texts = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          const stream = client.request({ ':method': 'POST', ':path': '/echo' });
          const headers = new Promise<http2.IncomingHttpHeaders>((resolve) => stream.on('response', resolve));
          stream.end(`message ${index}`);
          let text = '';
          for await (const chunk of stream) text += String(chunk);
          return [(await headers)['x-version'], text];
        }),
      );
      expect(texts).toEqual(Array.from({ length: 20 }, (_, index) => ['1.1', `message ${index}`]));
    } finally {
      client.close();
    }
  });

  test('gRPC with trailers to an HTTP/2 upstream', async () => {
    const upstream = await http2Upstream((stream, headers) => {
      if (headers[':path'] !== '/echo.Echo/Say') {
        stream.close();
        return;
      }
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () =>
        stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'fine', 'x-trailer': 'yes' }),
      );
      stream.pipe(stream);
    });
    upstreams.push(upstream);
    await session.httpEndpoint().domain('grpc.example.com').appProtocol('http2').listenAndForward(upstream.url);
    const [host, port] = splitAddress(platform.runtime.https_addr);
    const client = new grpc.Client(`${host}:${port}`, grpc.credentials.createSsl(Buffer.from(platform.ca)), {
      'grpc.ssl_target_name_override': 'grpc.example.com',
      'grpc.default_authority': 'grpc.example.com',
    });
    const bytes = (text: string): Buffer => Buffer.from(text);
    const answer = await new Promise<{ text: string; trailer: unknown }>((resolve, reject) => {
      let trailer: unknown;
      const call = client.makeUnaryRequest(
        '/echo.Echo/Say',
        bytes,
        (buffer: Buffer) => buffer.toString(),
        'hello grpc',
        (error, value) => {
          if (error !== null) reject(error);
          else setImmediate(() => resolve({ text: value ?? '', trailer }));
        },
      );
      call.on('status', (status) => {
        trailer = status.metadata.get('x-trailer')[0];
      });
    });
    client.close();
    expect(answer).toEqual({ text: 'hello grpc', trailer: 'yes' });
  });
});
