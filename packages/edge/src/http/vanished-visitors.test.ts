import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, get, harness, sleep } from '../testing/http-harness.ts';
import { nodeService } from '../testing/services.ts';

/** Long enough that a machine which is busy elsewhere does not look like a visitor that is stuck. */
const STALL_MS = 2_000;
/** Bytes in a millisecond; far less than frees a third of the buffers, which is when a socket takes something more. */
const SLOWLY = 800;
/** More than the buffers of both systems and ours. */
const ENDLESS = Buffer.alloc(65_536, 'd');

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** All that may be granted: INITIAL_WINDOW_SIZE, then WINDOW_UPDATE of the connection. */
const WINDOWS = Buffer.from('00000604000000000000047fffffff0000040800000000007ffe0000', 'hex');
const REQUEST = Buffer.from('\0\0\x0d\x01\x05\0\0\0\x01\x82\x86\x84\x41\x08app.test', 'latin1');
const ASK = { 'HTTP/1': Buffer.from(get('/')), 'HTTP/2': Buffer.concat([PREFACE, WINDOWS, REQUEST]) };

/** Runs `visit` on a connection whose endless answer has begun. */
async function withDownload(
  version: keyof typeof ASK,
  visit: (visitor: { socket: Socket; serving: () => number; reasons: () => string[] }) => Promise<void>,
): Promise<void> {
  let serving = 0;
  await using service = await nodeService((_, response) => {
    serving += 1;
    response.on('close', () => (serving -= 1));
    response.on('error', () => {});
    const more = (): void => {
      while (response.write(ENDLESS)) if (response.destroyed) return;
    };
    response.on('drain', more);
    more();
  });
  await using edge = await harness({
    http2: version === 'HTTP/2',
    agents: { s1: dial(service.port) },
    limits: { stallMs: STALL_MS },
  });
  edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1')] }));
  const socket = edge.connect();
  socket.on('error', () => {});
  socket.write(ASK[version]);
  await once(socket, 'data');
  socket.pause();
  await expect.poll(() => serving).toBe(1);
  await visit({ socket, serving: () => serving, reasons: () => edge.events.map(({ reason }) => reason) });
  socket.destroy();
}

describe.runIf(process.platform === 'linux').each(['HTTP/1', 'HTTP/2'] as const)('over %s a visitor', (version) => {
  test('who takes nothing of what waits is let go, and so is the service', async () => {
    await withDownload(version, async ({ serving, reasons }) => {
      await expect.poll(serving).toBe(0);
      expect(reasons()).toEqual(['client-gone']);
    });
  });

  test('who reads slowly is not', async () => {
    await withDownload(version, async ({ socket, serving, reasons }) => {
      const started = performance.now();
      let taken = 0;
      for (let passed = 0; passed < STALL_MS * 6; passed = performance.now() - started) {
        // By the clock: one read for each wait is nearly none where waits are long, and that is a visitor who has stopped.
        for (let piece: Buffer | null; taken < passed * SLOWLY; taken += piece.length) {
          piece = socket.read(8_192);
          if (piece === null) break;
        }
        await sleep(10);
      }
      expect(serving()).toBe(1);
      expect(reasons()).toEqual([]);
    });
  });

  test('who resets the connection is, too', async () => {
    await withDownload(version, async ({ socket, serving, reasons }) => {
      await sleep(100);
      socket.resetAndDestroy();
      await expect.poll(serving).toBe(0);
      expect(reasons()).toEqual(['client-gone']);
    });
  });
});
