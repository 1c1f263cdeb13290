import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonReader } from './json-reader.ts';

function readWhole(text: string, limit = 1000): unknown {
  const reader = new JsonReader(limit);
  return reader.push(Buffer.from(text)) ? reader.value() : undefined;
}

describe('JsonReader', () => {
  test('finds the end of any object under any split, and needs no byte more', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
        fc.array(fc.integer({ min: 1, max: 7 })),
        (value, cuts) => {
          const bytes = Buffer.from(` \n${JSON.stringify(value)}`);
          const reader = new JsonReader(100_000);
          let at = 0;
          for (const cut of [...cuts, bytes.length]) {
            const end = Math.min(bytes.length, at + cut);
            if (at < end) expect(reader.push(bytes.subarray(at, end))).toBe(end === bytes.length);
            at = end;
          }
          expect(reader.value()).toEqual(JSON.parse(JSON.stringify(value)));
        },
      ),
      { numRuns: 40 },
    );
  });

  test('ignores what follows, such as the line feed of Go agents', () => {
    expect(readWhole('{"a":"}\\"]"}\n{"b":')).toEqual({ a: '}"]' });
  });

  test.each([
    ['something else than an object', '[1]', /not a JSON object/],
    ['text', 'GET / HTTP/1.1', /not a JSON object/],
    ['broken JSON', '{"a":}', /not valid JSON/],
    ['mismatched brackets', '{"a":[}]}', /not valid JSON/],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), /not valid JSON/],
    ['deep nesting', '{"a":'.repeat(65), /nested too deeply/],
    ['too many bytes', `{"a":"${'x'.repeat(1000)}"}`, /longer than 1000 bytes/],
    ['too many bytes without an end', `{"a":"${'x'.repeat(1000)}`, /longer than 1000 bytes/],
  ])('refuses %s', (_name, input, message) => {
    const reader = new JsonReader(1000);
    expect(() => {
      if (reader.push(Buffer.from(input))) reader.value();
    }).toThrow(message);
  });

  test('has no value before the end', () => {
    const reader = new JsonReader(10);
    expect(reader.push(Buffer.from('  '))).toBe(false);
    expect(reader.started).toBe(false);
    expect(reader.push(Buffer.from('{"a"'))).toBe(false);
    expect(reader.started).toBe(true);
    expect(() => reader.value()).toThrow(/ends too early/);
  });

  test('a message that comes byte by byte is held in little more than its length', () => {
    const reader = new JsonReader(4_194_304);
    const byte = Buffer.from('x');
    const held = (): number => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
    reader.push(Buffer.from('{"a":"'));
    const before = held();
    for (let sent = 0; sent < 1_000_000; sent++) reader.push(byte);
    expect(held() - before).toBeLessThan(64 * 1024 * 1024);
    expect(reader.push(Buffer.from('"}'))).toBe(true);
    expect(reader.value()).toEqual({ a: 'x'.repeat(1_000_000) });
  });
});
