import { once } from 'node:events';
import { createServer } from 'node:net';
import { createMuxSession, MuxErrorCode } from '@postern/protocol';
import { expect, test } from 'vitest';
import { parseUpstream } from '../target.ts';
import { Circles } from './circles.ts';
import { dialUpstream } from './dial-upstream.ts';
import { Pipe } from './pipe.ts';
import { UpstreamReader } from './upstream-reader.ts';

const WORDS = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n';

/** Says its last words to whoever begins to send something, and resets the connection. */
async function refusing(): Promise<{
  readonly plan: Parameters<typeof dialUpstream>[0];
  /** It has hung up. */
  readonly gone: Promise<void>;
  close(): void;
}> {
  const { promise: gone, resolve: hungUp } = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on('error', () => {}).on('close', () => hungUp());
    socket.once('data', () => socket.write(WORDS, () => socket.resetAndDestroy()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    plan: { address: parseUpstream(`http://127.0.0.1:${port}`), secure: false, options: { upstream: '' } },
    gone,
    close: () => server.close(),
  };
}

function streamOf() {
  const session = createMuxSession({ role: 'client' }, { onStream() {}, onOutput() {}, onEnd() {} });
  const stream = session.open(3, { onData() {}, onEnd() {}, onReset() {}, onDrain() {} });
  const sent = (): string => {
    let text = '';
    for (let bytes = session.pull(); bytes !== undefined; bytes = session.pull()) text += bytes.toString('latin1');
    return text;
  };
  return { stream, sent };
}

test.runIf(process.platform !== 'win32')('what a service said before it hung up on a write is read', async () => {
  const service = await refusing();
  const { stream, sent } = streamOf();
  const socket = dialUpstream(service.plan, new UpstreamReader(stream, () => {}, undefined));
  // Who does not read learns of the reset when he writes.
  socket.pause();
  socket.write('upload');
  await once(socket, 'connect');
  await service.gone;
  socket.write('more of the upload');
  const [error]: unknown[] = await once(socket, 'error');
  expect(error).toMatchObject({ syscall: 'write' });
  expect(sent()).toContain(WORDS);
  service.close();
});

test('the reset of a service follows what it said before', async () => {
  const service = await refusing();
  const { stream, sent } = streamOf();
  sent();
  let over = (): void => {};
  const done = new Promise<void>((resolve) => (over = resolve));
  const circles = new Circles(
    () => 0,
    () => false,
  );
  const pipe = new Pipe(stream, service.plan, { circles, onDone: () => over(), onDialFailure() {} });
  stream.handler = pipe;
  pipe.onData(Buffer.from('upload'));
  await done;
  expect(stream.writable).toBe(false);
  const reset = Buffer.alloc(4);
  reset.writeUInt32BE(MuxErrorCode.internal);
  const text = sent();
  expect(text).toContain(WORDS);
  expect(text.indexOf(reset.toString('latin1'), text.indexOf(WORDS))).toBeGreaterThan(0);
  expect(stream.closed).toBe(true);
  service.close();
});
