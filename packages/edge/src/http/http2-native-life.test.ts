/**
 * Heads that are begun and never finished, on streams that are cut while bytes of theirs are on their way: the runtime
 * ends the whole process over those when it collects the session before the stream (http2-native-life.ts).
 */
import { execFile } from 'node:child_process';
import { connect } from 'node:http2';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { frame, FrameType, literal, setting, words } from '../testing/h2-frames.ts';
import { dial, harness, sleep } from '../testing/http-harness.ts';
import { rawService } from '../testing/services.ts';

const ROUNDS = 3;
const INITIAL_WINDOW = 4;
const WIDE = 0x3fff_0000;

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');
async function collectAll(): Promise<void> {
  await pause(200);
  for (let turn = 0; turn < 3; turn++) {
    collect();
    await pause(0);
  }
}

test('a service whose head has no end is left while the request is on its way', async () => {
  await using service = await rawService((socket) => {
    socket.on('error', () => {});
    socket.write(frame(FrameType.settings, 0, 0, setting(INITIAL_WINDOW, WIDE)));
    socket.write(frame(FrameType.windowUpdate, 0, 0, words(WIDE)));
    socket.once('data', () => {
      const fields = [literal('x-a', '1'.repeat(50)), literal('x-b', '2'.repeat(60))];
      socket.write(frame(FrameType.headers, 0, 1, Buffer.concat([Buffer.from([0x88]), ...fields])));
      setTimeout(() => socket.pause(), 20);
    });
  });
  await using edge = await harness({ http2: true, agents: { s1: dial(service.port) } });
  edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1', { protocol: 'http2' })] }));
  for (let round = 0; round < ROUNDS; round++) {
    const session = connect(`http://127.0.0.1:${edge.port}`);
    session.on('error', () => {});
    const stream = session.request({ ':method': 'POST', ':path': '/', ':authority': 'app.test' });
    stream.on('error', () => {});
    stream.write('x');
    await sleep(50);
    for (let count = 0; count < 2_000; count++) stream.write(Buffer.alloc(10_000));
    await pause(100);
    session.destroy();
    await expect.poll(() => edge.events.length).toBe(round + 1);
    // Nobody reads what the service is told last; its place comes back all the same.
    await expect.poll(() => edge.agents.get('s1')?.server.streamCount).toBe(0);
    await collectAll();
  }
});

describe.each(['client', 'server'])('a %s session of the runtime', (side) => {
  const script = fileURLToPath(new URL('../testing/unfinished-heads.ts', import.meta.url));
  const run = (manner: string): Promise<unknown> => promisify(execFile)(process.execPath, [script, side, manner]);

  test('outlives its streams when it is kept for them', async () => {
    await expect(run('kept')).resolves.toBeDefined();
  });

  test('ends the process when it is not: it still has to be kept', async () => {
    await expect(run('alone')).rejects.toMatchObject({ signal: 'SIGABRT' });
  });
});
