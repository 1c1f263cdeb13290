import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drain, openRecorded, side, type StreamRecord } from './testing.ts';
import type { MuxSession, MuxStream } from './types.ts';

/** What each end of one stream must have seen when all is quiet. */
interface Model {
  written: Buffer[];
  ended: boolean;
  reset: boolean;
}

type Step =
  | { kind: 'open'; from: 0 | 1; size: number }
  | { kind: 'write'; from: 0 | 1; stream: number; size: number }
  | { kind: 'end'; from: 0 | 1; stream: number }
  | { kind: 'reset'; from: 0 | 1; stream: number }
  | { kind: 'move'; from: 0 | 1; limit: number; cuts: number[] };

const from = fc.constantFrom<0 | 1>(0, 1);
const stream = fc.nat(4);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('open' as const), from, size: fc.nat(3000) }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('write' as const), from, stream, size: fc.nat(60_000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), from, stream }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset' as const), from, stream }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('move' as const),
      from,
      limit: fc.integer({ min: 512, max: 131_072 }),
      cuts: fc.array(fc.integer({ min: 1, max: 20_000 }), { maxLength: 6 }),
    }),
  },
);

/** One stream as seen by both sides. */
interface Pair {
  records: [StreamRecord | undefined, StreamRecord | undefined];
  opener: 0 | 1;
  models: [Model, Model];
}

let counter = 0;
function bytes(size: number): Buffer {
  const made = Buffer.alloc(size);
  for (let i = 0; i < size; i++) made[i] = (counter = (counter * 31 + 7) & 0xffff) >> 8;
  return made;
}

function feed(session: MuxSession, data: Buffer, cuts: number[]): void {
  let at = 0;
  for (const cut of cuts) {
    session.receive(data, at, Math.min(data.length, at + cut));
    at = Math.min(data.length, at + cut);
  }
  session.receive(data, at);
}

describe('two sessions', () => {
  test('deliver what was written, in order, whatever the splits, ends and resets', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }),
        fc.constantFrom(262_144, 1_048_576),
        (steps, window) => {
          const sides = [side({ role: 'client', window }), side({ role: 'server' })] as const;
          const pairs: Pair[] = [];
          const streamOf = (pair: Pair, who: 0 | 1): MuxStream | undefined => pair.records[who]?.stream;
          const meet = (): void => {
            for (const pair of pairs) {
              const other = pair.opener === 0 ? 1 : 0;
              pair.records[other] ??= sides[other].accepted.find(
                (record) => record.stream?.id === pair.records[pair.opener]?.stream?.id,
              );
            }
          };
          const move = (who: 0 | 1, limit: number, cuts: number[]): number => {
            const moved = drain(sides[who].session, limit);
            feed(sides[who === 0 ? 1 : 0].session, moved, cuts);
            meet();
            return moved.length;
          };
          for (const action of steps) {
            if (action.kind === 'move') move(action.from, action.limit, action.cuts);
            else if (action.kind === 'open') {
              const first = bytes(action.size);
              const record = openRecorded(sides[action.from].session, 3, first);
              const opener = action.from;
              pairs.push({
                opener,
                records: opener === 0 ? [record, undefined] : [undefined, record],
                models: opener === 0 ? [fresh([first]), fresh([])] : [fresh([]), fresh([first])],
              });
            } else {
              const pair = pairs[action.stream];
              const target = pair === undefined ? undefined : streamOf(pair, action.from);
              if (pair === undefined || target === undefined || target.closed) continue;
              const model = pair.models[action.from];
              if (action.kind === 'reset') {
                model.reset = true;
                target.reset(6);
              } else if (target.writable) {
                if (action.kind === 'end') {
                  model.ended = true;
                  target.end();
                } else {
                  const chunk = bytes(action.size);
                  model.written.push(chunk);
                  if (action.size % 2 === 0) target.write(chunk);
                  else {
                    const lent = Buffer.from(chunk);
                    target.writeShared(lent);
                    lent.fill(0);
                  }
                }
              }
            }
          }
          while (move(0, 131_072, []) + move(1, 131_072, []) > 0);
          for (const pair of pairs) checkPair(pair);
          for (const made of sides) {
            expect(made.end).toBeUndefined();
            expect(made.session.streamCount).toBe(pairs.filter((pair) => !over(pair)).length);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

function fresh(written: Buffer[]): Model {
  return { written, ended: false, reset: false };
}

function over(pair: Pair): boolean {
  const [a, b] = pair.models;
  return a.reset || b.reset || (a.ended && b.ended);
}

function checkPair(pair: Pair): void {
  for (const who of [0, 1] as const) {
    const other = who === 0 ? 1 : 0;
    const record = pair.records[other];
    const sent = Buffer.concat(pair.models[who].written);
    const anyReset = pair.models[0].reset || pair.models[1].reset;
    if (record === undefined) {
      // A stream that was reset before its SYN left is never seen.
      expect(pair.models[pair.opener].reset).toBe(true);
      continue;
    }
    if (anyReset) {
      // A prefix, at most.
      expect(record.data.equals(sent.subarray(0, record.data.length))).toBe(true);
      if (!pair.models[other].reset) expect(record.reset !== undefined || record.ended).toBe(true);
    } else {
      expect(record.data.equals(sent)).toBe(true);
      expect(record.ended).toBe(pair.models[who].ended);
      expect(record.reset).toBeUndefined();
    }
  }
}
