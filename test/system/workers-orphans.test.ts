/** `--workers 2`, and the server is killed: its workers are left, for a moment. */
import { once } from 'node:events';
import net from 'node:net';
import process from 'node:process';
import { expect, test } from 'vitest';
import { isAlive } from '../support/is-alive.ts';
import { Platform } from '../support/platform.ts';
import { sessionBuilder } from '../support/sdk.ts';
import { until } from '../support/until.ts';
import { tcpEcho } from '../support/upstream.ts';

/** Their two processes. */
function workersOf(platform: Platform): Promise<number[]> {
  return until(() => {
    const lines = platform.output.matchAll(/^\{.*"worker":"w\d\.\d+","pid":(\d+),.*"a worker serves".*$/gm);
    const pids = [...lines].map(([, pid]) => Number(pid));
    return pids.length === 2 ? pids : null;
  });
}

test('they end by themselves, and what they cut is not shown as whole', async () => {
  const platform = await Platform.start({ args: ['--workers=2'] });
  const pids = await workersOf(platform);
  const echo = await tcpEcho();
  const session = await sessionBuilder(platform).connect();
  const bytes = await session.tcpEndpoint().listenAndForward(`tcp://127.0.0.1:${echo.port}`);
  const visitors = Array.from({ length: 8 }, () =>
    net.connect(Number(new URL(bytes.url() ?? '').port), '127.0.0.1').setEncoding('utf8'),
  );
  await Promise.all(
    visitors.map(async (socket) => {
      socket.write('half of it');
      await once(socket, 'data');
    }),
  );
  const ends = visitors.map(
    (socket) =>
      new Promise((resolve) => {
        socket.once('end', () => resolve('end')).once('error', ({ message }) => resolve(message));
      }),
  );
  await platform.stop('SIGKILL');
  expect(await Promise.all(ends)).toEqual(visitors.map(() => 'read ECONNRESET'));
  await until(() => !pids.some(isAlive));
  await session.close().catch(() => undefined);
  await Promise.all([platform.dispose(), echo.close()]);
});

test('the next server waits until they have left its addresses', async () => {
  let platform = await Platform.start({ args: ['--workers=2'] });
  for (let life = 0; life < 3; life++) {
    // oxlint-disable no-await-in-loop
    const orphans = await workersOf(platform);
    // They see nothing of it for a while, as on a machine that is very busy.
    for (const pid of orphans) process.kill(pid, 'SIGSTOP');
    setTimeout(() => orphans.forEach((pid) => process.kill(pid, 'SIGCONT')), 1_500);
    platform = await platform.restart('SIGKILL', { listen: platform.sameAddresses, args: ['--workers=2'] });
    expect(await workersOf(platform)).not.toEqual(expect.arrayContaining(orphans));
    // Until the system has taken away what is left of them.
    await until(() => !orphans.some(isAlive));
    // oxlint-enable no-await-in-loop
  }
  await platform.dispose();
});
