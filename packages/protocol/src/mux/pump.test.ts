import { setImmediate as immediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { pumpMux } from './pump.ts';
import { createMuxSession } from './session.ts';
import { openRecorded, parseFrames, recorder } from './testing.ts';
import type { MuxPump, MuxWire } from './pump.ts';

function pumped(wire: MuxWire) {
  let pump: MuxPump | undefined;
  const session = createMuxSession(
    { role: 'client' },
    { onStream() {}, onOutput: () => pump?.flushSoon(), onEnd() {} },
  );
  pump = pumpMux(session, wire);
  return { session, pump };
}

describe('the pump', () => {
  test('has one write under way; what gathers leaves together', async () => {
    const writes: { bytes: Buffer; done: (error?: Error | null) => void }[] = [];
    const { session } = pumped({ write: (buffer, done) => writes.push({ bytes: Buffer.from(buffer), done }) });
    const call = openRecorded(session, 1, Buffer.from('a'));
    expect(writes).toHaveLength(1);
    call.stream.write(Buffer.from('b'));
    call.stream.write(Buffer.from('c'));
    openRecorded(session, 1, Buffer.from('d'));
    expect(writes).toHaveLength(1);
    writes[0]?.done();
    expect(writes).toHaveLength(2);
    expect(parseFrames(writes[1]?.bytes ?? Buffer.alloc(0)).map((frame) => frame.payload.length)).toEqual([2, 5]);
    writes[1]?.done();
    call.stream.end();
    await immediate();
    expect(writes).toHaveLength(3);
  });

  test('where several frames gather in a turn, those of the next leave at its end, in one write', async () => {
    const writes: number[] = [];
    const underWay: ((error?: Error | null) => void)[] = [];
    const { session } = pumped({
      write(buffer, done) {
        writes.push(parseFrames(Buffer.from(buffer)).length);
        underWay.push(done);
      },
    });
    const openSome = (count: number): void => {
      for (let i = 0; i < count; i++) openRecorded(session, 1, Buffer.from('a'));
    };
    openSome(3);
    expect(writes).toEqual([1]);
    underWay.pop()?.();
    expect(writes).toEqual([1, 2]);
    underWay.pop()?.();
    openSome(4);
    expect(writes).toEqual([1, 2]);
    await immediate();
    expect(writes).toEqual([1, 2, 4]);
    underWay.pop()?.();
    openSome(1);
    await immediate();
    expect(writes).toEqual([1, 2, 4, 1]);
    underWay.pop()?.();
    openSome(1);
    // Alone in its turn, as the one before: nothing is waited for.
    expect(writes).toEqual([1, 2, 4, 1, 1]);
  });

  test.each([
    ['behind a write', 2],
    ['in a turn of the event loop', 3],
  ])('what is thrown %s is told to a wire that takes it', async (_when, throwing) => {
    const faults: unknown[] = [];
    let finish: ((error?: Error | null) => void) | undefined;
    let writes = 0;
    const { session } = pumped({
      write(_buffer, done) {
        finish = done;
        writes += 1;
        if (writes === throwing) throw new Error('the wire');
      },
      fault: (error) => faults.push(error),
    });
    for (let i = 0; i < 3; i++) session.open(1, recorder().handler);
    finish?.(null);
    finish?.(null);
    session.open(1, recorder().handler);
    await immediate();
    expect(faults).toEqual([new Error('the wire')]);
  });

  test('a wire that answers at once is not recursed into', () => {
    let bytes = 0;
    const { session } = pumped({
      write(buffer, done) {
        bytes += buffer.length;
        done();
      },
    });
    for (let i = 0; i < 2000; i++) openRecorded(session, 1, Buffer.alloc(100));
    expect(bytes).toBe(2000 * 112);
  });

  test('whenDry waits for the write under way, and for a broken wire no longer', () => {
    let finish: ((error?: Error | null) => void) | undefined;
    const { session, pump } = pumped({
      write(_buffer, done) {
        finish = done;
      },
    });
    let dry = 0;
    pump.whenDry(() => (dry += 1));
    expect(dry).toBe(1);
    session.open(1, recorder().handler);
    pump.whenDry(() => (dry += 1));
    expect(dry).toBe(1);
    session.open(1, recorder().handler);
    finish?.(new Error('broken'));
    expect(dry).toBe(2);
  });
});
