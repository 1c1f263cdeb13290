import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventBlocks, isEventStream, type EventBlock } from './event-blocks.ts';

interface Told {
  /** All that went out, as it was told. */
  readonly bytes: string;
  readonly data: (string | null)[];
  readonly retry: (string | null)[];
}

/** A stream cut at places, each message changed by `change`. */
function told(stream: Buffer, cuts: readonly number[], change: (block: EventBlock) => void = () => {}): Told {
  const out: Buffer[] = [];
  const data: (string | null)[] = [];
  const retry: (string | null)[] = [];
  const blocks = new EventBlocks(
    {
      between: (bytes, start, end) => void out.push(Buffer.from(bytes.subarray(start, end))),
      message(block) {
        data.push(block.data?.toString() ?? null);
        retry.push(block.retry?.toString() ?? null);
        change(block);
        out.push(...block.parts.map((part) => Buffer.from(part)));
      },
    },
    1_000,
    () => true,
  );
  const places = [0, ...cuts.map((cut) => Math.min(cut, stream.length)).toSorted((a, b) => a - b), stream.length];
  for (const [index, start] of places.entries()) {
    const end = places[index + 1] ?? stream.length;
    for (let at = start; at < end;) {
      const next = blocks.take(stream, at, end);
      if (next === -1) throw new Error('too large');
      at = next;
    }
  }
  blocks.end();
  return { bytes: Buffer.concat(out).toString(), data, retry };
}

const text = (stream: string, change?: (block: EventBlock) => void): Told => told(Buffer.from(stream), [], change);

describe('a stream is taken apart', () => {
  test.each([
    ['data: a\n\n', ['a']],
    ['data:a\n\ndata:  b\n\n', ['a', ' b']],
    ['data\n\n', ['']],
    ['data: a\rdata: b\r\r', ['a\nb']],
    ['data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
    ['event: x\ndata: a\nid: 7\ndata:\ndata: c\n\n', ['a\n\nc']],
    [': hello\n\n: again\ndata: a\n: within\n\n', ['a']],
    ['\n\n\ndata: a\n\n', ['a']],
    ['id: 7\n\n', [null]],
    ['datax: a\n\n', [null]],
    ['\uFEFFdata: a\n\n', ['a']],
    ['data: a\n\ndata: b', ['a', 'b']],
    ['data: a:b\n\n', ['a:b']],
    ['', []],
  ])('%j', (stream, data) => {
    expect(text(stream)).toMatchObject({ bytes: stream, data });
  });

  test('its retry is the last one', () => {
    expect(text('retry: 1\nretry:2\n\n').retry).toEqual(['2']);
  });
});

describe('a message that is changed', () => {
  const setData = (value: string) => (block: EventBlock) => void (block.data = Buffer.from(value));
  const setRetry = (value: string) => (block: EventBlock) => void (block.retry = Buffer.from(value));

  test.each([
    ['keeps its other lines', 'event: x\ndata: a\n: c\nid: 7\ndata: b\n\n', 'z', 'event: x\ndata: z\n: c\nid: 7\n\n'],
    ['has a line for each of its data', 'data: a\n\n', 'y\nz', 'data: y\ndata: z\n\n'],
    [
      'cannot get other fields that way',
      'data: a\r\n\r\n',
      'y\rid: 1\r\nz',
      'data: y\r\ndata: id: 1\r\ndata: z\r\n\r\n',
    ],
    ['may become empty', 'data: a\n\n', '', 'data: \n\n'],
    ['keeps what stands in front of the stream', '\uFEFFdata: a\n\n', 'z', '\uFEFFdata: z\n\n'],
    ['keeps a leading blank', 'data:a\n\n', ' z', 'data:  z\n\n'],
  ])('%s', (_, stream, value, expected) => {
    expect(text(stream, setData(value)).bytes).toBe(expected);
  });

  test('has one line for its retry', () => {
    expect(text('retry: 1\ndata: a\nretry: 2\n\n', setRetry('5')).bytes).toBe('retry: 5\ndata: a\n\n');
    expect(text('retry: 1\n\n', setRetry('5\ndata: x')).bytes).toBe('retry: 5\n\n');
  });
});

test('comments between messages do not wait, and neither does a message for what may follow its CR', () => {
  const out: string[] = [];
  const blocks = new EventBlocks(
    {
      between: (bytes, start, end) => void out.push(bytes.toString('latin1', start, end)),
      message: (block) => void out.push(...block.parts.map(String)),
    },
    1_000,
    () => true,
  );
  const feed = (piece: string): string => {
    const bytes = Buffer.from(piece);
    for (let at = 0; at < bytes.length;) at = blocks.take(bytes, at, bytes.length);
    return out.splice(0).join('');
  };
  expect(feed(': alive\n')).toBe(': alive\n');
  expect(feed('data: a\r\r')).toBe('data: a\r\r');
  expect(feed('\ndata: b\n')).toBe('\n');
  expect(feed('\n')).toBe('data: b\n\n');
});

test('a message is not longer than it may be, and has the memory that it needs', () => {
  const made = (most: number, reserve: (bytes: number) => boolean): number =>
    new EventBlocks({ between() {}, message() {} }, most, reserve).take(Buffer.alloc(3_000, 'a'), 0, 3_000);
  expect(made(3_000, () => true)).toBe(3_000);
  expect(made(2_999, () => true)).toBe(-1);
  expect(made(3_000, () => false)).toBe(-1);
});

const piece = fc.constantFrom(
  'data: a',
  'data:',
  'data: bb',
  ': c',
  'id: 1',
  'retry: 9',
  'x',
  '\n',
  '\r',
  '\r\n',
  '\n\n',
);

test('wherever it is cut, a stream is the same, and is what it was', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), fc.array(fc.nat(120), { maxLength: 8 }), (pieces, cuts) => {
      const stream = Buffer.from(pieces.join(''));
      const change = (block: EventBlock): void => {
        if (block.data !== null) block.data = Buffer.from(block.data.toString().toUpperCase());
        if (block.retry !== null) block.retry = Buffer.from('5');
      };
      const whole = told(stream, []);
      expect(whole.bytes).toBe(stream.toString());
      expect(told(stream, cuts)).toEqual(whole);
      expect(told(stream, [...stream.keys()])).toEqual(whole);
      expect(told(stream, cuts, change)).toEqual(told(stream, [], change));
    }),
  );
});

test.each([
  ['text/event-stream', true],
  [' Text/Event-Stream ; charset=utf-8', true],
  ['text/event-streams', false],
  ['text/plain', false],
  [undefined, false],
] as const)('whether %s is an event stream', (type, is) => {
  expect(isEventStream(type)).toBe(is);
});
