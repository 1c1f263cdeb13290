import { createServer, type Socket } from 'node:net';
import { createMuxSession, type MuxStream } from '@postern/protocol';
import { expect, test } from 'vitest';
import { parseUpstream } from '../target.ts';
import { Circles } from './circles.ts';
import { Pipe, type PipeContext } from './pipe.ts';

const context: PipeContext = {
  circles: new Circles(
    () => 0,
    () => false,
  ),
  onDone: () => {},
  onDialFailure: () => {},
};

function stream(): MuxStream {
  const session = createMuxSession({ role: 'client' }, { onStream: () => {}, onOutput: () => {}, onEnd: () => {} });
  return session.open(3, { onData() {}, onEnd() {}, onReset() {}, onDrain() {} });
}

test('an end and a reset in one read leave no connection behind', async () => {
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const plan = {
    address: parseUpstream(`tcp://127.0.0.1:${port}`),
    secure: false,
    options: { upstream: '' },
    trail: undefined,
  };
  for (let turns = 0; turns < 3; turns++) {
    const came = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const pipe = new Pipe(stream(), plan, context);
    const socket = await came;
    socket.on('error', () => {});
    const gone = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    // It neither looks for the end nor stops by itself.
    socket.write(Buffer.alloc(20_000_000));
    await new Promise((resolve) => setTimeout(resolve, 50));
    pipe.onEnd();
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => process.nextTick(resolve));
    pipe.onReset();
    await gone;
    expect(socket.destroyed).toBe(true);
  }
  server.close();
});
