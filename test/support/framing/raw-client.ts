/** A visitor that writes bytes as they are and reads what comes back by the letter. */
import net from 'node:net';
import tls from 'node:tls';
import { PATIENCE_MS } from '../until.ts';

export interface RawResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly fields: ReadonlyMap<string, string>;
  /** latin1 */
  readonly body: string;
  /** Its end was seen. */
  readonly complete: boolean;
}

export interface Conversation {
  /** Final responses in order; 1xx are left out, 101 is not. */
  readonly responses: readonly RawResponse[];
  /** Everything received, latin1. */
  readonly received: string;
  /** How the connection ended. */
  readonly ended: 'fin' | 'reset' | 'timeout';
}

export interface Door {
  readonly host: string;
  readonly port: number;
  /** TLS with this server name. */
  readonly tls?: { readonly servername: string; readonly ca: string; readonly alpn?: readonly string[] };
}

export function dial(door: Door): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const { host, port } = door;
    const socket: net.Socket =
      door.tls === undefined
        ? net.connect({ host, port, noDelay: true, allowHalfOpen: true })
        : tls.connect({
            host,
            port,
            servername: door.tls.servername,
            ca: door.tls.ca,
            ALPNProtocols: [...(door.tls.alpn ?? ['http/1.1'])],
          });
    const ready = door.tls === undefined ? 'connect' : 'secureConnect';
    socket.once('error', reject);
    socket.once(ready, () => {
      socket.off('error', reject);
      socket.on('error', () => undefined);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

export interface ConverseOptions {
  /** Methods of the requests, in order: whether a response has a body depends on them. */
  readonly methods: readonly string[];
  /** Ends of the segments that the bytes are sent in; absent = all at once. */
  readonly cuts?: readonly number[];
  readonly timeoutMs?: number;
}

/** Writes everything, reads until the server ends the connection. */
export async function converse(door: Door, bytes: Buffer, options: ConverseOptions): Promise<Conversation> {
  const socket = await dial(door);
  const chunks: Buffer[] = [];
  const ended = new Promise<Conversation['ended']>((resolve) => {
    const timer = setTimeout(() => resolve('timeout'), options.timeoutMs ?? PATIENCE_MS);
    const settle = (how: Conversation['ended']): void => {
      clearTimeout(timer);
      resolve(how);
    };
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => settle('fin'));
    socket.on('error', () => settle('reset'));
    socket.on('close', () => settle('reset'));
  });
  await write(socket, bytes, options.cuts ?? []);
  const how = await ended;
  socket.destroy();
  const received = Buffer.concat(chunks).toString('latin1');
  return { responses: readResponses(received, options.methods, how === 'fin'), received, ended: how };
}

async function write(socket: net.Socket, bytes: Buffer, cuts: readonly number[]): Promise<void> {
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    if (cut <= at || socket.destroyed || !socket.writable) continue;
    const piece = bytes.subarray(at, cut);
    at = cut;
    await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
  }
}

/** @param finished the connection ended by FIN, which completes a body without length */
export function readResponses(received: string, methods: readonly string[], finished: boolean): RawResponse[] {
  const responses: RawResponse[] = [];
  let at = 0;
  while (at < received.length) {
    const headEnd = received.indexOf('\r\n\r\n', at);
    const start = /^HTTP\/1\.[01] (\d{3})( [^\r\n]*)?\r\n/.exec(received.slice(at, at + 300));
    if (headEnd === -1 || start === null) {
      responses.push({ status: 0, fields: new Map(), body: received.slice(at), complete: false });
      return responses;
    }
    const status = Number(start[1]);
    const fields = new Map<string, string>();
    for (const line of received.slice(at + start[0].length, headEnd).split('\r\n')) {
      const colon = line.indexOf(':');
      if (colon > 0) fields.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
    at = headEnd + 4;
    if (status < 200 && status !== 101) continue;
    const bodiless = methods[responses.length] === 'HEAD' || status === 204 || status === 304 || status === 101;
    const body = bodiless ? { text: '', end: at, complete: true } : readBody(received, at, fields, finished);
    responses.push({ status, fields, body: body.text, complete: body.complete });
    at = body.end;
  }
  return responses;
}

function readBody(
  text: string,
  start: number,
  fields: ReadonlyMap<string, string>,
  finished: boolean,
): { text: string; end: number; complete: boolean } {
  const length = fields.get('content-length');
  if (fields.get('transfer-encoding') === 'chunked') {
    let at = start;
    let body = '';
    for (;;) {
      const line = /^([0-9a-f]+)\r\n/i.exec(text.slice(at, at + 20));
      if (line === null) return { text: body, end: text.length, complete: false };
      const size = Number.parseInt(line[1] ?? '', 16);
      at += line[0].length;
      if (size === 0) {
        const end = text.startsWith('\r\n', at) ? at : text.indexOf('\r\n\r\n', at) + 2;
        const complete = end > 1 && text.startsWith('\r\n', end);
        return { text: body, end: complete ? end + 2 : text.length, complete };
      }
      body += text.slice(at, at + size);
      at += size;
      if (!text.startsWith('\r\n', at)) return { text: body, end: text.length, complete: false };
      at += 2;
    }
  }
  if (length === undefined) return { text: text.slice(start), end: text.length, complete: finished };
  const end = start + Number(length);
  return { text: text.slice(start, end), end: Math.min(end, text.length), complete: text.length >= end };
}
