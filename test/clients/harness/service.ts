/** The HTTP service that agents forward to, and the bytes that it gives and counts. */
import { createCipheriv, createHash } from 'node:crypto';
import type http from 'node:http';
import type net from 'node:net';
import { httpUpstream, type Upstream } from '../../support/upstream.ts';

const CHUNK = 65_536;

/** The same bytes every time, and none like the ones before: a counter's key stream. */
export function* bytes(length: number): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16));
  for (let left = length; left > 0; left -= CHUNK) yield cipher.update(Buffer.alloc(Math.min(left, CHUNK)));
}

export function checksumOf(length: number): string {
  const digest = createHash('sha256');
  for (const chunk of bytes(length)) digest.update(chunk);
  return digest.digest('hex');
}

export interface Service extends Upstream {
  /** Connections that are open now. */
  open(): number;
}

/**
 * `/headers` shows what arrived, `/bytes/<n>` gives n bytes, `/sum` counts and sums what is posted; anything else says
 * method, path and host.
 */
export async function startService(): Promise<Service> {
  const sockets = new Set<net.Socket>();
  const upstream = await httpUpstream((request, response) => void serve(request, response));
  upstream.server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  return { port: upstream.port, url: upstream.url, open: () => sockets.size, close: () => upstream.close() };
}

async function serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const { url = '/', method = '', headers } = request;
  response.on('error', () => undefined);
  const wanted = /^\/bytes\/(\d+)$/.exec(url)?.[1];
  if (wanted !== undefined) {
    await give(response, Number(wanted));
  } else if (url === '/headers') {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ...headers, 'x-padding': 'x'.repeat(2_000) }));
  } else if (url === '/sum') {
    const digest = createHash('sha256');
    let length = 0;
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        digest.update(chunk);
        length += chunk.length;
      }
    } catch {
      return;
    }
    response.end(`${length} ${digest.digest('hex')}`);
  } else {
    response.setHeader('x-service', 'suite');
    response.end(`${method} ${url} of ${headers.host}`);
  }
}

async function give(response: http.ServerResponse, length: number): Promise<void> {
  response.setHeader('content-length', length);
  const gone = new Promise<void>((resolve) => response.once('close', resolve));
  for (const chunk of bytes(length)) {
    if (response.destroyed) return;
    if (response.write(chunk)) continue;
    await Promise.race([new Promise<void>((resolve) => response.once('drain', resolve)), gone]);
  }
  response.end();
}
