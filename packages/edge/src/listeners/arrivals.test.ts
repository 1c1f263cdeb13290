import { describe, expect, test } from 'vitest';
import { Arrivals } from './arrivals.ts';

const PATIENCE = 2_000;

/** A listener whose turns, clock and line the test moves; one is taken in each turn of a millisecond. */
class Line {
  now = 0;
  crowds: number[] = [];
  last = '';
  standing: number | null = 0;
  looks = 0;
  #due: (() => void)[] = [];
  readonly arrivals: Arrivals;

  constructor(patienceMs = PATIENCE) {
    this.arrivals = new Arrivals({
      patienceMs,
      now: () => this.now,
      later: (callback) => this.#due.push(callback),
      standing: () => {
        this.looks += 1;
        return this.standing;
      },
      onCrowd: (waitMs) => this.crowds.push(waitMs),
    });
  }

  /** A turn in which `count` come. @returns how many of them are refused */
  turn(count: number, ms = 1): number {
    let refused = 0;
    for (let one = 0; one < count; one++) {
      this.last = this.arrivals.come();
      if (this.last !== 'take') refused += 1;
    }
    this.now += ms;
    for (const callback of this.#due.splice(0)) callback();
    return refused;
  }

  turns(count: number): number {
    let refused = 0;
    for (let one = 0; one < count; one++) refused += this.turn(1);
    return refused;
  }

  get idle(): boolean {
    return this.#due.length === 0;
  }
}

describe('a line', () => {
  test('is refused when its last would wait too long, until it has ended', () => {
    const line = new Line();
    line.standing = PATIENCE + 100;
    expect(line.turns(PATIENCE)).toBe(0);
    expect(line.turns(50)).toBe(50);
    expect(line.crowds).toHaveLength(1);
    expect(line.crowds[0]).toBeCloseTo(PATIENCE + 100, -2);
    line.turn(0);
    expect(line.turn(1)).toBe(0);
  });

  test('may have no end as long as it is short: visitors who come again as soon as they have been served', () => {
    const line = new Line();
    line.standing = 64;
    expect(line.turns(60_000)).toBe(0);
  });

  test('that is younger than the patience is taken in, however slowly it moves: the process may have been held up', () => {
    const line = new Line();
    line.standing = 64;
    for (let turn = 0; turn < 20; turn++) expect(line.turn(1, 99)).toBe(0);
    // Had it gone on like that, the last would have waited for six seconds.
    expect(line.turns(1_000)).toBe(0);
  });

  test('is judged by how fast it is taken in', () => {
    const line = new Line();
    line.standing = 150;
    for (let turn = 0; turn < 200; turn++) expect(line.turn(1, 10)).toBe(0);
    line.standing = 250;
    for (let turn = 0; turn < 11; turn++) line.turn(1, 10);
    expect(line.last).toBe('refuse');
  });

  test('is kept short while the load stays, and not any more when it has gone', () => {
    const line = new Line();
    line.standing = 2 * PATIENCE;
    line.turns(PATIENCE + 2);
    line.turn(0);
    line.standing = 300;
    expect(line.turns(100)).toBe(0);
    expect(line.turns(10)).toBe(10);
    line.turn(0);
    line.now += 10_000;
    expect(line.turns(1_000)).toBe(0);
  });

  test('that telling does not end is cut, and told again when it is calm', () => {
    const line = new Line();
    line.standing = 2 * PATIENCE;
    line.turns(PATIENCE + 2);
    expect(line.last).toBe('refuse');
    line.turns(PATIENCE / 8);
    expect(line.last).toBe('cut');
    line.turn(0);
    line.turns(102);
    expect(line.last).toBe('cut');
    line.turn(0);
    line.now += 10_000;
    line.turns(PATIENCE + 2);
    expect(line.last).toBe('refuse');
  });

  test('that nobody knows the length of is never refused', () => {
    const line = new Line();
    line.standing = null;
    expect(line.turns(10_000)).toBe(0);
  });
});

test('with gaps there is no line, and nobody looks', () => {
  const line = new Line();
  line.standing = 1e6;
  for (let turn = 0; turn < 2_000; turn++) expect(line.turn(turn % 2 === 0 ? 5 : 0)).toBe(0);
  expect(line.looks).toBe(0);
});

test('one long turn is no line', () => {
  const line = new Line();
  line.turn(1, 10 * PATIENCE);
  line.turn(0);
  expect(line.turn(1)).toBe(0);
  expect(line.looks).toBe(0);
});

test('nothing runs when nobody comes', () => {
  const line = new Line();
  line.turns(3);
  line.turn(0);
  expect(line.idle).toBe(true);
});

test('without patience nobody is looked at', () => {
  const line = new Line(0);
  line.standing = 1e6;
  expect(line.turns(10 * PATIENCE)).toBe(0);
  expect(line.idle).toBe(true);
});
