import { describe, expect, test } from 'vitest';
import { createMuxSession } from './session.ts';
import { openRecorded, parseFrames } from './testing.ts';
import type { MuxSession } from './types.ts';

function silent(): MuxSession {
  return createMuxSession({ role: 'client' }, { onStream() {}, onOutput() {}, onEnd() {} });
}

/** Memory that a write of `session` holds until it is done. */
function held(session: MuxSession): number {
  return session.pull()?.buffer.byteLength ?? 0;
}

describe('what a write holds', () => {
  test('is little for one small frame: a thousand sessions may beat in the same moment', () => {
    const session = silent();
    const { stream } = openRecorded(session, 1, Buffer.from('beat'));
    expect(held(session)).toBe(4_096);
    stream.write(Buffer.alloc(4_000));
    expect(held(session)).toBe(4_096);
  });

  test('is room for many frames where there is more to send', () => {
    const session = silent();
    const { stream } = openRecorded(session, 1, Buffer.alloc(4_096));
    expect(held(session)).toBe(131_072);
    stream.write(Buffer.from('a'));
    openRecorded(session, 1, Buffer.from('b'));
    expect(held(session)).toBe(131_072);
  });

  test.each([0, 1, 4_000, 4_028, 4_029, 4_096, 5_000, 130_000])(
    'an opening with %d bytes and an end leave whole',
    (n) => {
      const session = silent();
      const bytes = Buffer.alloc(n, 'x');
      openRecorded(session, 1, bytes).stream.end();
      const frames = [];
      for (let out = session.pull(); out !== undefined; out = session.pull()) {
        frames.push(...parseFrames(Buffer.from(out)));
        session.release(out);
      }
      const payload = Buffer.concat(frames.map((frame) => frame.payload));
      expect(payload.subarray(4).equals(bytes)).toBe(true);
      expect(frames.at(-1)?.flags).toBe(1);
    },
  );

  test('is used again when it is given back, in whatever order', () => {
    const session = silent();
    const pulled = Array.from({ length: 3 }, (_, at) => {
      openRecorded(session, 1, Buffer.from(`${at}`));
      return session.pull() ?? Buffer.alloc(0);
    });
    const memory = new Set<unknown>(pulled.map(({ buffer }) => buffer));
    expect(memory.size).toBe(3);
    for (const at of [1, 0, 2]) session.release(pulled[at] ?? Buffer.alloc(0));
    // Not lent any more: giving it back twice would lend it to two.
    for (const buffer of pulled) session.release(buffer);
    const again = Array.from({ length: 4 }, () => {
      openRecorded(session, 1, Buffer.from('x'));
      return session.pull()?.buffer;
    });
    expect(again.slice(0, 3).every((buffer) => buffer !== undefined && memory.has(buffer))).toBe(true);
    expect(new Set(again).size).toBe(4);
  });
});
