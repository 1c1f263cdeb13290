import { Socket } from 'node:net';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SocketWriter } from './socket-writer.ts';

/** Takes writes as slowly as it is told, and can stall. */
class SlowSocket extends Socket {
  readonly taken: Buffer[] = [];
  readonly #waits: (() => void)[] = [];
  readonly #stalls: boolean;

  constructor(stalls: boolean) {
    super();
    this.#stalls = stalls;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // What the socket was given must still be the same when it gets round to it.
    this.#later(() => {
      if (chunk.length > 0) this.taken.push(Buffer.from(chunk));
      done();
    });
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: (error?: Error | null) => void): void {
    this.#later(() => {
      for (const { chunk } of chunks) if (chunk.length > 0) this.taken.push(Buffer.from(chunk));
      done();
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    done();
  }

  step(): void {
    this.#waits.shift()?.();
  }

  #later(act: () => void): void {
    if (this.#stalls) this.#waits.push(act);
    else setImmediate(act);
  }
}

test('any pieces at any pace leave whole, in order, with credit for each byte', async () => {
  const size = fc.oneof(fc.nat(300), fc.nat(70_000));
  const piece = fc.record({ size, text: fc.boolean(), steps: fc.nat(2), turn: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
      const socket = new SlowSocket(true);
      let written = 0;
      const writer = new SocketWriter(socket, { onWritten: (n) => (written += n), fault() {} });
      const sent: Buffer[] = [];
      let next = 0;
      const ended = new Promise<void>((resolve) => socket.once('finish', resolve));
      for (const { size: length, text, steps, turn } of pieces) {
        const chunk = Buffer.alloc(length);
        for (let i = 0; i < length; i++) chunk[i] = next++ & 0xff;
        sent.push(Buffer.from(chunk));
        if (text) writer.writeText(chunk.toString('latin1'));
        else writer.write(chunk);
        // The caller's buffer is its own again at once.
        chunk.fill(0xee);
        if (turn) await new Promise((resolve) => setImmediate(resolve));
        for (let i = 0; i < steps; i++) socket.step();
      }
      writer.end();
      for (let i = 0; i < 200 && !socket.writableFinished; i++) {
        await new Promise((resolve) => setImmediate(resolve));
        socket.step();
      }
      await ended;
      expect(Buffer.concat(socket.taken).equals(Buffer.concat(sent))).toBe(true);
      expect(written).toBe(next);
      expect(writer.pending).toBe(0);
    }),
    { numRuns: 40 },
  );
});

test('pieces of one turn share a write', async () => {
  const socket = new SlowSocket(false);
  const writer = new SocketWriter(socket, { onWritten() {}, fault() {} });
  for (let i = 0; i < 50; i++) writer.write(Buffer.alloc(100));
  writer.end();
  await new Promise((resolve) => socket.once('finish', resolve));
  expect(socket.taken.map((chunk) => chunk.length)).toEqual([5_000]);
});

test('tiny pieces behind a stalled reader do not pin a slab each', async () => {
  const socket = new SlowSocket(true);
  const writer = new SocketWriter(socket, { onWritten() {}, fault() {} });
  for (let i = 0; i < 1_000; i++) {
    writer.write(Buffer.from([i & 0xff]));
    if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(writer.pending).toBe(1_000);
  // The first byte is under way; all others wait in the same slab and leave as one.
  for (let steps = 0; steps < 3; steps++) {
    socket.step();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(socket.taken.map((chunk) => chunk.length)).toEqual([1, 999]);
});

test.each([0, 1])('who takes the socket over writes behind all that was queued (%s writes done)', async (done) => {
  const socket = new SlowSocket(true);
  const writer = new SocketWriter(socket, { onWritten() {}, fault() {} });
  const sent = [70_000, 3, 140_000].map((size, at) => Buffer.alloc(size, at + 1));
  for (const chunk of sent) {
    writer.write(chunk);
    // The first is under way when the others come.
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (let step = 0; step < done; step++) socket.step();
  writer.handOver();
  writer.write(Buffer.from('late'));
  socket.end('behind');
  while (!socket.writableFinished) {
    socket.step();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(Buffer.concat(socket.taken).equals(Buffer.concat([...sent, Buffer.from('behind')]))).toBe(true);
});
