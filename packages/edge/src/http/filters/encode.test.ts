import { randomBytes } from 'node:crypto';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ENCODERS } from './encode.ts';

const DECODE = { br: brotliDecompressSync, gzip: gunzipSync, deflate: inflateSync };
const CODINGS = ['br', 'gzip', 'deflate'] as const;

test.each(CODINGS)('%s keeps every byte, however many pieces come at once', async (coding) => {
  const source = Buffer.concat([randomBytes(200_000), Buffer.alloc(200_000, 'abc'), randomBytes(100_000)]);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const got: Buffer[] = [];
  // The bytes belong to whoever reads the socket, and are overwritten behind each write.
  const slab = Buffer.alloc(65_536);
  let at = 0;
  let size = 1;
  const give = (pieces: number): void => {
    for (let piece = 0; piece < pieces && at < source.length; piece++, size = ((size * 7) % 65_521) + 1) {
      const length = source.copy(slab, 0, at, at + size);
      at += length;
      body.body(slab, 0, length);
      slab.fill(0, 0, length);
    }
    if (at === source.length) body.end();
  };
  const body = ENCODERS[coding].make(
    {
      body: (chunk) => got.push(chunk) > 0,
      drained: () => give(1 + (size % 3)),
      end: () => resolve(Buffer.concat(got)),
      failed: reject,
    },
    true,
  );
  give(3);
  expect(DECODE[coding](await promise).equals(source)).toBe(true);
});

test.each(CODINGS)('%s takes no more while its reader takes nothing', async (coding) => {
  let given = 0;
  const block = randomBytes(65_536);
  const give = (): void => {
    do given += block.length;
    while (body.body(block, 0, block.length));
  };
  const stalled = Promise.withResolvers<void>();
  const body = ENCODERS[coding].make(
    {
      body() {
        stalled.resolve();
        return false;
      },
      drained: give,
      end() {},
      failed: stalled.reject,
    },
    true,
  );
  give();
  await stalled.promise;
  // Whatever is at work in the thread pool comes to its end.
  for (let turn = 0, before = -1; before !== given; turn++) {
    before = given;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(turn).toBeLessThan(20);
  }
  body.destroy();
  expect(given).toBeLessThanOrEqual(4 * block.length);
});
