/** Visitors for the contract of downstreams: the runtime's own clients, over HTTP/1 and HTTP/2. */
import { type ClientRequest, request } from 'node:http';
import { type ClientHttp2Stream, connect } from 'node:http2';
import type { Readable, Writable } from 'node:stream';

export interface Asked {
  readonly method?: string;
  readonly fields?: Readonly<Record<string, string>>;
  /** A body follows, whose end is told by `end`. */
  readonly body?: boolean;
}

export interface Told {
  readonly status: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly informational: readonly number[];
  readonly body: Buffer;
  readonly trailers: Readonly<Record<string, unknown>>;
}

export interface VisitorRequest {
  readonly sent: Writable;
  /** All of the answer; rejected when it is cut, or there is none. Nothing of its body is read before this is asked for. */
  answer(): Promise<Told>;
  /** The head of the answer is here. */
  readonly head: Promise<unknown>;
  /** Without waiting for anything. */
  leave(): void;
}

export type Ask = (port: number, asked?: Asked) => VisitorRequest;

export const VISITORS: Readonly<Record<'HTTP/1' | 'HTTP/2', Ask>> = { 'HTTP/1': ask1, 'HTTP/2': ask2 };

interface Head {
  readonly status: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly body: Readable;
  readonly trailers: () => Readonly<Record<string, unknown>>;
}

function visitorRequest(
  sent: Writable,
  informational: number[],
  head: Promise<Head>,
  leave: () => void,
): VisitorRequest {
  head.catch(() => {});
  return {
    sent,
    head,
    async answer() {
      const { status, fields, body, trailers } = await head;
      const parts: Buffer[] = [];
      await new Promise<void>((resolve, reject) => {
        let whole = false;
        body.on('data', (part: Buffer) => parts.push(part));
        body.on('end', () => (whole = true));
        body.on('error', reject);
        body.on('close', () => (whole ? resolve() : reject(new Error('cut'))));
      });
      return { status, fields, informational, body: Buffer.concat(parts), trailers: trailers() };
    },
    leave,
  };
}

function ask1(port: number, { method = 'GET', fields = {}, body = false }: Asked = {}): VisitorRequest {
  const sent: ClientRequest = request({
    port,
    host: '127.0.0.1',
    method,
    agent: false,
    headers: { host: 'app.test', ...(body ? { 'transfer-encoding': 'chunked' } : {}), ...fields },
  });
  const informational: number[] = [];
  sent.on('information', ({ statusCode }) => informational.push(statusCode));
  const head = new Promise<Head>((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response) => {
      const { statusCode = 0, headers } = response;
      resolve({ status: statusCode, fields: headers, body: response, trailers: () => response.trailers });
    });
  });
  if (!body) sent.end();
  return visitorRequest(sent, informational, head, () => sent.destroy());
}

function ask2(port: number, { method = 'GET', fields = {}, body = false }: Asked = {}): VisitorRequest {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  const sent: ClientHttp2Stream = session.request(
    { ':method': method, ':path': '/', ':authority': 'app.test', ...fields },
    { endStream: !body },
  );
  sent.on('close', () => session.destroy());
  const informational: number[] = [];
  let trailers: Readonly<Record<string, unknown>> = {};
  sent.on('headers', (headers) => informational.push(headers[':status'] ?? 0));
  sent.on('continue', () => informational.push(100));
  sent.on('trailers', (headers) => (trailers = headers));
  const head = new Promise<Head>((resolve, reject) => {
    sent.on('error', reject);
    sent.on('close', () => reject(new Error('no answer')));
    sent.on('response', (headers) => {
      resolve({ status: headers[':status'] ?? 0, fields: headers, body: sent, trailers: () => trailers });
    });
  });
  return visitorRequest(sent, informational, head, () => session.destroy());
}
