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
      // They are valid during the call only.
      body: (chunk, start, end) => got.push(Buffer.from(chunk.subarray(start, end))) > 0,
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

test.each(CODINGS)('what %s makes lies in the same memory again once it has been taken', async (coding) => {
  const block = randomBytes(50_000);
  const memory = new Set<ArrayBufferLike>();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let left = 40;
  const body = ENCODERS[coding].make(
    {
      body: (chunk) => memory.add(chunk.buffer).size > 0,
      drained() {
        left -= 1;
        if (left > 0) body.body(block, 0, block.length);
        else body.end();
      },
      end: () => resolve(memory.size),
      failed: reject,
    },
    true,
  );
  body.body(block, 0, block.length);
  expect(await promise).toBeLessThan(10);
});
