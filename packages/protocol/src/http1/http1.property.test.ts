import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TARGET, TOKEN, VALUE } from './characters.ts';
import { CHUNK_END, chunkHeader, encodeRequestHead, encodeResponseHead, encodeTrailers } from './encode.ts';
import { feedRequests, feedResponses, type FeedOptions, type Transcript } from './testing/transcript.ts';

const charsOf = (table: Uint8Array): string[] =>
  [...table.keys()].filter((code) => table[code] === 1).map((code) => String.fromCharCode(code));
const textOf = (table: Uint8Array, minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...charsOf(table)), minLength, maxLength });

const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 });
const value = textOf(VALUE, 0, 12).map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ''));
const fields = fc
  .array(
    fc.tuple(
      textOf(TOKEN, 1, 10).map((name) => `x-${name}`),
      value,
    ),
    { maxLength: 6 },
  )
  .map((pairs) => pairs.flat());
const trailers = fields.filter((list) => !list.some((text) => /^x[-_]forwarded[-_]/i.test(text)));
const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));

interface Body {
  readonly fields: string[];
  readonly wire: Buffer;
  readonly framing: string;
  readonly lines: string[];
}

const bodyLine = (body: Buffer): string[] => (body.length === 0 ? [] : [`body ${body.toString('latin1')}`]);
const asPairs = (list: readonly string[]): string =>
  list.flatMap((name, index) => (index % 2 === 0 ? [`${name}=${list[index + 1] ?? ''}`] : [])).join('|');

const lengthBody: fc.Arbitrary<Body> = bytes.map((body) => ({
  fields: ['content-length', String(body.length)],
  wire: body,
  framing: `length ${body.length}`,
  lines: bodyLine(body),
}));
const chunkedBody: fc.Arbitrary<Body> = fc.tuple(fc.array(bytes, { maxLength: 4 }), trailers).map(([parts, tail]) => {
  const chunks = parts.filter((part) => part.length > 0);
  const wire = chunks.flatMap((part) => [Buffer.from(chunkHeader(part.length)), part, CHUNK_END]);
  return {
    fields: ['transfer-encoding', 'chunked'],
    wire: Buffer.concat([...wire, encodeTrailers(tail)]),
    framing: 'chunked',
    lines: [...bodyLine(Buffer.concat(chunks)), ...(tail.length === 0 ? [] : [`trailers ${asPairs(tail)}`])],
  };
});
const noBody: fc.Arbitrary<Body> = fc.constant({ fields: [], wire: Buffer.alloc(0), framing: 'none', lines: [] });

interface Message {
  readonly wire: Buffer;
  readonly lines: string[];
}

const request: fc.Arbitrary<Message> = fc
  .tuple(
    textOf(TOKEN, 1, 8).filter((method) => method !== 'CONNECT'),
    textOf(TARGET, 0, 20).map((rest) => `/${rest}`),
    fields,
    fc.oneof(noBody, lengthBody, chunkedBody),
  )
  .map(([method, target, extra, body]) => {
    const all = ['Host', 'a.test', ...extra, ...body.fields];
    return {
      wire: Buffer.concat([encodeRequestHead(method, target, all), body.wire]),
      lines: [`${method} ${target} @a.test ${body.framing} ${asPairs(all)}`, ...body.lines, 'end'],
    };
  });

const response: fc.Arbitrary<Message> = fc
  .tuple(
    fc.integer({ min: 200, max: 599 }).filter((status) => status !== 204 && status !== 304),
    value,
    fields,
    fc.oneof(lengthBody, chunkedBody),
  )
  .map(([status, reason, extra, body]) => {
    const all = [...extra, ...body.fields];
    return {
      wire: Buffer.concat([encodeResponseHead(status, reason, all), body.wire]),
      lines: [`${status} ${reason === '' ? '-' : reason} ${body.framing} ${asPairs(all)}`, ...body.lines, 'end'],
    };
  });

const join = (messages: readonly Message[]): Message => ({
  wire: Buffer.concat(messages.map((message) => message.wire)),
  lines: messages.flatMap((message) => message.lines),
});
const several = (one: fc.Arbitrary<Message>): fc.Arbitrary<Message[]> => fc.array(one, { minLength: 1, maxLength: 3 });

describe('what is written is read again, however it is cut', () => {
  it('requests', () => {
    fc.assert(
      fc.property(several(request), cuts, (messages, pieces) => {
        const { wire, lines } = join(messages);
        const seen = feedRequests(wire, { cuts: pieces, fields: true });
        expect(seen).toMatchObject({ failure: null, lines, rest: '' });
      }),
      { numRuns: 300 },
    );
  });

  it('responses', () => {
    fc.assert(
      fc.property(several(response), cuts, (messages, pieces) => {
        const { wire, lines } = join(messages);
        const methods = messages.map(() => 'GET');
        const seen = feedResponses(methods, wire, { cuts: pieces, fields: true });
        expect(seen).toMatchObject({ failure: null, lines, rest: '' });
      }),
      { numRuns: 300 },
    );
  });
});

/** One byte changed, taken out or put in, or a span repeated. */
const mutation = fc.record({
  kind: fc.constantFrom('set', 'drop', 'insert', 'repeat'),
  at: fc.nat(10_000),
  byte: fc.oneof(fc.constantFrom(0, 9, 10, 13, 32, 34, 44, 45, 48, 58, 59, 95, 127, 160), fc.nat(255)),
  span: fc.integer({ min: 1, max: 12 }),
});

function mutate(wire: Buffer, change: { kind: string; at: number; byte: number; span: number }): Buffer {
  const at = change.at % (wire.length + 1);
  const [before, after] = [wire.subarray(0, at), wire.subarray(at)];
  const byte = Buffer.from([change.byte]);
  if (change.kind === 'set') return Buffer.concat([before, byte, after.subarray(1)]);
  if (change.kind === 'drop') return Buffer.concat([before, after.subarray(1)]);
  if (change.kind === 'insert') return Buffer.concat([before, byte, after]);
  return Buffer.concat([before, after.subarray(0, change.span), after]);
}

/** Body lines may differ: a fault in a body can be seen sooner or later by some bytes of it, never by a message. */
const heads = (lines: readonly string[]): string[] => lines.filter((line) => !line.startsWith('body '));

function expectSame(feed: (options: FeedOptions) => Transcript, pieces: readonly number[]): void {
  const whole = feed({ fields: true });
  const cut = feed({ fields: true, cuts: pieces });
  expect(heads(cut.lines)).toEqual(heads(whole.lines));
  expect(cut.failure === null).toBe(whole.failure === null);
}

describe('hostile bytes never throw, and cutting them differently changes nothing', () => {
  it('mutated requests', () => {
    fc.assert(
      fc.property(
        several(request),
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        cuts,
        (messages, list, pieces) => {
          const wire = list.reduce(mutate, join(messages).wire);
          expectSame((options) => feedRequests(wire, options), pieces);
        },
      ),
      { numRuns: 600 },
    );
  });

  it('mutated responses', () => {
    fc.assert(
      fc.property(
        several(response),
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        cuts,
        (messages, list, pieces) => {
          const wire = list.reduce(mutate, join(messages).wire);
          expectSame((options) => feedResponses(['GET', 'HEAD', 'GET'], wire, options), pieces);
        },
      ),
      { numRuns: 600 },
    );
  });

  it('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), cuts, (array, pieces) => {
        const wire = Buffer.from(array);
        expectSame((options) => feedRequests(wire, options), pieces);
        expectSame((options) => feedResponses(['GET'], wire, options), pieces);
      }),
      { numRuns: 300 },
    );
  });
});
