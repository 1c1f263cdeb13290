import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createIdSource, isId, suffixOf, timestampOf } from './ids.ts';
import { timestamp } from './timestamp.ts';

const AT = Date.UTC(2026, 10, 24, 23, 15, 57, 842);
const bytes = (fill: number) => () => new Uint8Array(16).fill(fill);

describe('ids', () => {
  test('have a prefix, 27 base-62 characters and the second they were made in', () => {
    const id = createIdSource({ now: () => AT }).next('ep');
    expect(id).toMatch(/^ep_[0-9A-Za-z]{27}$/);
    expect(timestampOf(id)).toBe('2026-11-24T23:15:57Z');
    expect(timestamp(AT)).toBe('2026-11-24T23:15:57Z');
  });

  test('read the time of a KSUID that was made elsewhere', () => {
    expect(timestampOf('x_0ujtsYcgvSTl8PAuAdqWYSMnLOv')).toBe('2017-10-10T04:00:47Z');
  });

  test('spell the whole range of 20 bytes', () => {
    const first = createIdSource({ now: () => 1_400_000_000_000, randomBytes: bytes(0) }).next('a');
    const last = createIdSource({ now: () => (1_400_000_000 + 0xffff_ffff) * 1000, randomBytes: bytes(255) }).next('a');
    expect(first).toBe('a_000000000000000000000000000');
    expect(last).toBe('a_aWgEPTl1tmebfsQzFP4bxwgy80V');
    expect(isId('a', last)).toBe(true);
    expect(isId('a', 'a_aWgEPTl1tmebfsQzFP4bxwgy80W')).toBe(false);
  });

  test('of one source grow strictly, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5000, max: 5000 }), { minLength: 2, maxLength: 60 }), (steps) => {
        let clock = AT;
        const source = createIdSource({ now: () => clock });
        const ids = steps.map((step) => {
          clock += step;
          return source.next('ts');
        });
        expect(ids).toEqual([...new Set(ids)].toSorted());
      }),
    );
  });

  test('carry over into the next second when a payload cannot grow', () => {
    const source = createIdSource({ now: () => AT, randomBytes: () => new Uint8Array(16).fill(255) });
    const [one, two] = [source.next('ep'), source.next('ep')];
    expect(two > one).toBe(true);
    expect(timestampOf(two)).toBe('2026-11-24T23:15:58Z');
  });

  test('are told from everything else', () => {
    const id = createIdSource({ now: () => AT }).next('ep');
    expect(isId('ep', id)).toBe(true);
    expect(suffixOf(id)).toBe(id.slice(3));
    for (const [prefix, text] of [
      ['rd', id],
      ['ep', id.slice(0, -1)],
      ['ep', `${id}0`],
      ['ep', `${id.slice(0, -1)}-`],
      ['ep', id.slice(3)],
      ['ep', ''],
      ['ep', `${id}\n`],
    ] as const) {
      expect(isId(prefix, text), text).toBe(false);
    }
    expect(() => suffixOf('nothing')).toThrow(TypeError);
    expect(() => suffixOf('ep_short')).toThrow(/not an id/);
  });
});
