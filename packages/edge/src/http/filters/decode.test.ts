import { randomBytes } from 'node:crypto';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { decoderOf } from './decode.ts';

const ENCODE = {
  gzip: gzipSync,
  'x-gzip': gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
};

test.each(Object.entries(ENCODE))('%s is undone, in pieces of any size', async (coding, encode) => {
  const source = Buffer.concat([randomBytes(20_000), Buffer.alloc(300_000, 'abc'), randomBytes(5_000)]);
  const packed = encode(source);
  for (const size of [1, 7, 1_000, packed.length]) {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const got: Buffer[] = [];
    let at = 0;
    // Two at once where they are taken: the second comes while the first is at work.
    const give = (): void => {
      let takes = true;
      for (let count = 0; (takes || count < 2) && at < packed.length; count++) {
        const end = Math.min(packed.length, at + size);
        takes = body.body(packed, at, end);
        at = end;
      }
      if (at === packed.length && takes) body.end();
    };
    const body = decoderOf(coding).make(
      {
        body: (chunk, start, end) => got.push(Buffer.from(chunk.subarray(start, end))) > 0,
        drained: give,
        end: () => resolve(Buffer.concat(got)),
        failed: reject,
      },
      true,
    );
    give();
    expect((await promise).equals(source)).toBe(true);
  }
});

test('what is not encoded so is none', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const body = decoderOf('gzip').make({ body: () => true, drained() {}, end() {}, failed: resolve }, true);
  body.body(Buffer.from('no archive'), 0, 10);
  expect(await promise).toBeInstanceOf(Error);
});
