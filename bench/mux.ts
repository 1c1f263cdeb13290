/**
 * What the multiplexer itself costs, without sockets: two sessions joined by function calls. Run it with
 * `node bench/mux.ts`; it is no part of `npm run bench`.
 */
import process from 'node:process';
import {
  createMuxSession,
  type MuxSession,
  type MuxStream,
  type MuxStreamHandler,
} from '../packages/protocol/src/index.ts';

const CALLS = 200_000;
const BULK_BYTES = 2e9;
const CHUNK = Buffer.alloc(65_536, 1);
const REQUEST = Buffer.from(`GET / HTTP/1.1\r\nhost: bench\r\n${'x-filler: yes\r\n'.repeat(10)}\r\n`);
const ANSWER = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');

interface Joined {
  readonly client: MuxSession;
  readonly server: MuxSession;
  /** Moves what both have to say until both are silent. */
  readonly settle: () => void;
}

function join(serve: (stream: MuxStream) => void): Joined {
  const quiet = { onOutput: () => {}, onEnd: () => {} };
  const client = createMuxSession({ role: 'client', window: 1_048_576 }, { onStream: serve, ...quiet });
  const server = createMuxSession({ role: 'server', window: 1_048_576 }, { onStream: serve, ...quiet });
  const settle = (): void => {
    for (let moved = true; moved;) {
      const forth = move(server, client);
      moved = move(client, server) || forth;
    }
  };
  return { client, server, settle };
}

function move(from: MuxSession, to: MuxSession): boolean {
  const buffer = from.pull();
  if (buffer === undefined) return false;
  to.receive(buffer);
  from.release(buffer);
  return true;
}

/** A handler that gives credit at once and runs `onBytes`. */
function reader(stream: () => MuxStream, onBytes: (length: number) => void = () => {}): MuxStreamHandler {
  return {
    onData(chunk) {
      stream().consume(chunk.length);
      onBytes(chunk.length);
    },
    onEnd() {},
    onReset() {},
    onDrain() {},
  };
}

function cpuOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Request and answer over one kept stream. */
function exchanges(): void {
  let answers = 0;
  const { server, settle } = join((stream) => {
    stream.handler = reader(
      () => stream,
      () => void stream.write(ANSWER),
    );
  });
  const kept: MuxStream = server.open(
    3,
    reader(
      () => kept,
      () => (answers += 1),
    ),
  );
  for (let i = 0; i < CALLS; i++) {
    kept.write(REQUEST);
    settle();
  }
  if (answers !== CALLS) throw new Error(`${answers} of ${CALLS} answers came`);
}

/** A stream for each request. */
function streams(): void {
  const { server, settle } = join((stream) => {
    stream.handler = { ...reader(() => stream), onEnd: () => stream.end(ANSWER) };
  });
  for (let i = 0; i < CALLS; i++) {
    const one: MuxStream = server.open(
      3,
      reader(() => one),
      REQUEST,
    );
    one.end();
    settle();
  }
  if (server.streamCount !== 0) throw new Error(`${server.streamCount} streams are left`);
}

/** Bulk over one stream. */
function bulk(): void {
  let received = 0;
  const { server, settle } = join((stream) => {
    stream.handler = reader(
      () => stream,
      (length) => (received += length),
    );
  });
  const one: MuxStream = server.open(
    3,
    reader(() => one),
  );
  for (let sent = 0; sent < BULK_BYTES;) {
    while (one.write(CHUNK)) sent += CHUNK.length;
    sent += CHUNK.length;
    settle();
  }
  if (received < BULK_BYTES) throw new Error(`${received} bytes came`);
}

for (let round = 0; round < 3; round++) {
  const perCall = (cpuOf(exchanges) / CALLS) * 1e6;
  const perStream = (cpuOf(streams) / CALLS) * 1e6;
  const perGigabyte = cpuOf(bulk) / (BULK_BYTES / 1e9);
  process.stdout.write(
    `both sides: ${perCall.toFixed(2)} µs per exchange, ${perStream.toFixed(2)} µs per stream, ` +
      `${perGigabyte.toFixed(3)} s per GB\n`,
  );
}
