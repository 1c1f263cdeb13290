/**
 * A process of its own, which may end: sessions of the runtime, of whose streams one has a head without an end and a
 * write on its way when it is cut. Arguments: `server` or `client`, whose session it is; `kept` or `alone`.
 */
import { once } from 'node:events';
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  type Http2Session,
  type Http2Stream,
} from 'node:http2';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { NativeLife } from '../http/codec/http2-native-life.ts';
import { Flag, frame, FrameType, literal, setting, words } from './h2-frames.ts';

const ROUNDS = 10;
const INITIAL_WINDOW = 4;
const WIDE = 0x3fff_0000;
const OPENING = Buffer.concat([
  frame(FrameType.settings, 0, 0, setting(INITIAL_WINDOW, WIDE)),
  frame(FrameType.windowUpdate, 0, 0, words(WIDE)),
]);
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const POST = Buffer.concat([Buffer.from([0x83, 0x86, 0x84]), literal(':authority', 'app.test')]);
const FIELDS = Buffer.concat([literal('x-a', '1'.repeat(50)), literal('x-b', '2'.repeat(60))]);

const [side, manner] = process.argv.slice(2);
setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** More than the system holds for somebody who reads nothing; then the end, with the last pieces on their way. */
async function fillAndCut(session: Http2Session, stream: Http2Stream): Promise<void> {
  session.on('error', () => {});
  stream.on('error', () => {});
  if (manner === 'kept') {
    const life = new NativeLife(session);
    stream.on('close', () => life.outlive(stream));
  }
  await pause(50);
  for (let count = 0; count < 2_000; count++) stream.write(Buffer.alloc(10_000));
  await pause(30);
  session.destroy();
}

async function listen(on: Server | ReturnType<typeof createHttp2Server>): Promise<number> {
  await new Promise<void>((resolve) => on.listen(0, '127.0.0.1', resolve));
  const address = on.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

interface Round {
  /** Resolves when the session has been destroyed. */
  begin(): Promise<void>;
  /** The peer goes. */
  end(): void;
}

async function client(): Promise<Round> {
  let peer: Socket | null = null;
  const raw = createServer((socket) => {
    peer = socket;
    socket.on('error', () => {});
    socket.write(OPENING);
    socket.once('data', () => {
      socket.pause();
      socket.write(frame(FrameType.headers, 0, 1, Buffer.concat([Buffer.from([0x88]), FIELDS])));
    });
  });
  const port = await listen(raw);
  return {
    async begin() {
      const session = connectHttp2(`http://127.0.0.1:${port}`);
      await once(session, 'connect');
      const stream = session.request({ ':method': 'POST' });
      stream.write('x');
      await fillAndCut(session, stream);
    },
    end: () => peer?.destroy(),
  };
}

async function server(): Promise<Round> {
  let peer: Socket | null = null;
  const serving = createHttp2Server();
  let cut = Promise.withResolvers<void>();
  serving.on('stream', (stream) => {
    stream.respond({ ':status': 200 });
    if (stream.session !== undefined) void fillAndCut(stream.session, stream).then(() => cut.resolve());
  });
  const port = await listen(serving);
  return {
    begin() {
      cut = Promise.withResolvers<void>();
      peer = connect(port, '127.0.0.1');
      peer.on('error', () => {});
      peer.write(Buffer.concat([PREFACE, OPENING, frame(FrameType.headers, Flag.endHeaders, 1, POST)]));
      peer.write(frame(FrameType.headers, Flag.endStream, 1, FIELDS));
      return cut.promise;
    },
    end: () => peer?.destroy(),
  };
}

const round = await (side === 'client' ? client() : server());
for (let count = 0; count < ROUNDS; count++) {
  await round.begin();
  await pause(50);
  round.end();
  await pause(50);
  for (let turn = 0; turn < 3; turn++) {
    collect();
    await pause(0);
  }
}
process.exit();
