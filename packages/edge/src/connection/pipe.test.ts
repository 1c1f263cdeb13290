import { connect, createServer, type Socket } from 'node:net';
import { createMuxSession, MuxErrorCode } from '@postern/protocol';
import { expect, test } from 'vitest';
import { DEFAULT_EDGE_LIMITS } from '../limits.ts';
import { Faults } from '../guard.ts';
import { SILENT_LOG } from '../testing/fixtures.ts';
import { createTimerWheel } from '../timer-wheel.ts';
import { BytePipe } from './pipe.ts';

const BYTES = 8_000_000;

test('a slow visitor has all that came before the agent took nothing more', async () => {
  const came = Promise.withResolvers<Socket>();
  const server = createServer({ allowHalfOpen: true }, came.resolve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const visitor = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1');
  const edge = { wheel: createTimerWheel(), faults: new Faults(SILENT_LOG), config: { limits: DEFAULT_EDGE_LIMITS } };
  const session = createMuxSession({ role: 'server' }, { onStream() {}, onOutput() {}, onEnd() {} });
  const over = Promise.withResolvers<string>();
  const pipe = new BytePipe(await came.promise, edge, (_, reason) => over.resolve(reason));
  pipe.start(session.open(3, pipe));
  visitor.pause();
  visitor.on('error', () => {});
  pipe.onData(Buffer.alloc(BYTES));
  pipe.onEnd();
  pipe.onReset(MuxErrorCode.streamClosed);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  let got = 0;
  visitor.on('data', (chunk: Buffer) => (got += chunk.length));
  visitor.resume();
  await over.promise;
  await expect.poll(() => got).toBe(BYTES);
  server.close();
});
