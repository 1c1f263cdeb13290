/** A hostile upstream that speaks HTTP/2: frames that no server library sends. */
import net from 'node:net';
import { portOf } from '../port-of.ts';
import { data, type Fields, frames, headers } from './h2-row.ts';
import { Flag, FrameReader, FrameType, frame, headerBlock, PREFACE, resetStream, settings, word } from './h2-wire.ts';
import { bad, cut, passes, type ResponseVerdict } from './response-row.ts';

/** Frames for the request on the stream `id`. */
export type Answer = (id: number) => readonly Buffer[];

export interface H2Answer {
  readonly name: string;
  readonly answer: Answer;
  readonly ending: 'keep' | 'end';
  readonly verdict: ResponseVerdict;
}

const asIs = (text: string): string => text;
const head = (id: number, fields: Fields, ends = false): Buffer => headers(id, fields, asIs, ends);
const OK: Fields = [[':status', '200']];
const hello = (id: number): Buffer => data(id, 'hello', true);
/** A head with these fields and the body `hello`. */
const answered = (fields: Fields): Answer => {
  return (id) => [head(id, fields), hello(id)];
};

export const H2_ANSWERS: readonly H2Answer[] = [
  row('no :status', answered([['x', 'y']]), bad),
  row(':status 000', answered([[':status', '000']]), bad),
  row(':status of two digits', answered([[':status', '20']]), bad),
  row(':status of four digits', answered([[':status', '2000']]), bad),
  row(':status 600', answered([[':status', '600']]), bad),
  row(':status with a line break', answered([[':status', '200\r\nX: y']]), bad),
  row(
    'two :status',
    answered([
      [':status', '200'],
      [':status', '404'],
    ]),
    bad,
  ),
  row(
    ':status behind a field',
    answered([
      ['x', 'y'],
      [':status', '200'],
    ]),
    bad,
  ),
  row('101', answered([[':status', '101']]), bad),
  row('a request pseudo field', answered([...OK, [':path', '/']]), bad),
  row('connection', answered([...OK, ['connection', 'close']]), bad),
  row('transfer-encoding', answered([...OK, ['transfer-encoding', 'chunked']]), bad),
  row('two content-length', answered([...OK, ['content-length', '5'], ['content-length', '6']]), bad),
  row('signed content-length', answered([...OK, ['content-length', '+5']]), bad),
  row('content-length 2^64 + 5', answered([...OK, ['content-length', '18446744073709551621']]), bad),
  row('content-length without a body', (id) => [head(id, [...OK, ['content-length', '5']], true)], bad),
  row('content-length above the body', answered([...OK, ['content-length', '6']]), cut()),
  row('content-length below the body', answered([...OK, ['content-length', '4']]), cut()),
  row(
    '204 with content-length',
    (id) => [
      head(id, [
        [':status', '204'],
        ['content-length', '5'],
      ]),
      hello(id),
    ],
    bad,
  ),
  row('a body before the head', (id) => [hello(id), head(id, OK)], bad),
  row('a head on another stream', (id) => [head(id + 2, OK), hello(id)], bad),
  row(
    'PUSH_PROMISE',
    (id) => [
      frame(
        FrameType.pushPromise,
        Flag.endHeaders,
        id,
        Buffer.concat([
          word(2),
          headerBlock([
            [':method', 'GET'],
            [':scheme', 'https'],
            [':authority', 'x.test'],
            [':path', '/'],
          ]),
        ]),
      ),
    ],
    bad,
  ),
  row('a reset before the head', (id) => [resetStream(id, 2)], bad),
  row('a reset in the body', (id) => [head(id, OK), data(id, 'hel', false), resetStream(id, 2)], cut()),
  row('the end before the head', () => [], bad, 'end'),
  row('the end in the body', (id) => [head(id, OK), data(id, 'hel', false)], cut(), 'end'),
  row(
    'GOAWAY that disowns the stream',
    () => [frame(FrameType.goAway, 0, 0, Buffer.concat([word(0), word(0)]))],
    bad,
    'end',
  ),
  row('a broken header block', (id) => [frames(id, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7f]), false)], bad),
  row(
    'a frame that is too large',
    (id) => [
      frame(
        FrameType.headers,
        Flag.endHeaders,
        id,
        headerBlock([
          [':status', '200'],
          ['x', 'y'.repeat(20_000)],
        ]),
      ),
    ],
    bad,
  ),
  row('HTTP/1', () => [Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON')], bad, 'end'),
  row('garbage', () => [Buffer.alloc(64, 0x5a)], bad, 'end'),
  // Fields that are none are dropped by Node's HTTP/2; see the rows of requests.
  row('a line break in a value', answered([...OK, ['x', 'y\r\nset-cookie: a=b']]), passes()),
  row(
    'a head with 100 KB',
    (id) => [head(id, [...OK, ...Array.from({ length: 100 }, () => ['x', 'y'.repeat(1_000)] as const)]), hello(id)],
    passes(),
  ),
  row(
    'interim responses first',
    (id) => [
      head(id, [
        [':status', '103'],
        ['link', '</a>'],
      ]),
      head(id, OK),
      hello(id),
    ],
    passes(),
  ),
  row('trailers', (id) => [head(id, OK), data(id, 'hello', false), head(id, [['x-sum', '1']], true)], passes()),
  row('plain', answered(OK), passes()),
];

function row(name: string, answer: Answer, verdict: ResponseVerdict, ending: H2Answer['ending'] = 'keep'): H2Answer {
  return { name, answer, verdict, ending };
}

/** Answers as `current` says, else `hello`. */
export class HostileHttp2Origin {
  readonly #server = net.createServer((socket) => this.#accept(socket));
  readonly #sockets = new Set<net.Socket>();
  current: H2Answer | null = null;

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return portOf(this.#server);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(socket: net.Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    const reader = new FrameReader();
    let greeted = 0;
    socket.write(settings());
    socket.on('data', (chunk: Buffer) => {
      const skipped = Math.min(PREFACE.length - greeted, chunk.length);
      greeted += skipped;
      for (const { type, flags, stream } of reader.push(chunk.subarray(skipped))) {
        if (type === FrameType.settings && (flags & Flag.ack) === 0)
          socket.write(frame(FrameType.settings, Flag.ack, 0));
        if (type === FrameType.headers) this.#answer(socket, stream);
      }
    });
  }

  #answer(socket: net.Socket, stream: number): void {
    const { current } = this;
    const bytes = (current?.answer ?? answered([...OK, ['content-length', '5']]))(stream);
    socket.write(Buffer.concat(bytes));
    if (current?.ending === 'end') socket.end();
  }
}
