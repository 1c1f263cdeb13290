/** An HTTP/2 upstream (prior knowledge) that keeps a ledger of its streams. */
import http2 from 'node:http2';
import { portOf } from '../port-of.ts';
import { names } from './origin.ts';

export interface LedgerStream {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** latin1 */
  readonly body: string;
  readonly complete: boolean;
}

interface Taken {
  method: string;
  target: string;
  fields: [string, string][];
  body: string;
  complete: boolean;
}

export class Http2Origin {
  readonly #server = http2.createServer({ maxHeaderListPairs: 2_000, settings: { maxHeaderListSize: 400_000 } });
  readonly #sessions = new Set<http2.ServerHttp2Session>();
  #streams: Taken[] = [];

  async listen(): Promise<number> {
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('close', () => this.#sessions.delete(session));
      session.on('error', () => session.destroy());
    });
    this.#server.on('stream', (stream, headers, _flags, raw: readonly string[]) => this.#accept(stream, headers, raw));
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this.port;
  }

  get port(): number {
    return portOf(this.#server);
  }

  /** Streams that name the token. */
  streamsOf(token: string): readonly LedgerStream[] {
    return this.#streams.filter(({ target, fields, body }) =>
      [target, body, ...fields.map(([, value]) => value)].some((text) => names(text, token)),
    );
  }

  forget(streams: readonly LedgerStream[]): void {
    this.#streams = this.#streams.filter((stream) => !streams.includes(stream));
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions) session.destroy();
    await closed;
  }

  #accept(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders, raw: readonly string[]): void {
    const fields: [string, string][] = [];
    for (let at = 0; at < raw.length; at += 2) {
      if (!raw[at]?.startsWith(':')) fields.push([raw[at] ?? '', raw[at + 1] ?? '']);
    }
    const taken: Taken = {
      method: String(headers[':method']),
      target: String(headers[':path']),
      fields: [['host', String(headers[':authority'])], ...fields],
      body: '',
      complete: false,
    };
    this.#streams.push(taken);
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => (taken.body += chunk.toString('latin1')));
    stream.on('trailers', (trailers) => {
      for (const [name, value] of Object.entries(trailers)) taken.fields.push([`trailer ${name}`, String(value)]);
    });
    stream.on('end', () => {
      if (stream.destroyed || stream.aborted) return;
      taken.complete = true;
      const { method, target, body } = taken;
      const text = Buffer.from(JSON.stringify({ order: 0, method, target, body }), 'latin1');
      stream.respond({ ':status': 200, 'content-type': 'application/json', 'content-length': text.length });
      stream.end(method === 'HEAD' ? undefined : text);
    });
    stream.resume();
  }
}
