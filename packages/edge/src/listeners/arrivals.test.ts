import { describe, expect, test } from 'vitest';
import { Arrivals } from './arrivals.ts';

const PATIENCE = 2_000;

/** A listener whose turns and clock the test moves. */
class Line {
  now = 0;
  crowds: number[] = [];
  last = '';
  #due: (() => void)[] = [];
  readonly arrivals: Arrivals;

  constructor(patienceMs = PATIENCE) {
    this.arrivals = new Arrivals({
      patienceMs,
      now: () => this.now,
      later: (callback) => this.#due.push(callback),
      onCrowd: (waited) => this.crowds.push(waited),
    });
  }

  /** A turn in which `count` come. @returns how many of them are refused */
  turn(count: number, ms = 1): number {
    let refused = 0;
    for (let one = 0; one < count; one++) if (this.come() !== 'take') refused += 1;
    this.now += ms;
    for (const callback of this.#due.splice(0)) callback();
    return refused;
  }

  come(): string {
    const verdict = this.arrivals.come();
    this.last = verdict;
    return verdict;
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

describe('a line without an end', () => {
  test('may stand for as long as patience lasts', () => {
    const line = new Line();
    expect(line.turns(PATIENCE)).toBe(0);
    expect(line.crowds).toEqual([]);
    expect(line.turns(50)).toBe(50);
    expect(line.crowds).toEqual([PATIENCE]);
  });

  test('is let in again when it has ended', () => {
    const line = new Line();
    line.turns(PATIENCE + 10);
    line.turn(0);
    expect(line.turn(1)).toBe(0);
  });

  test('is kept short while the load stays, and not any more when it has gone', () => {
    const line = new Line();
    line.turns(PATIENCE + 1);
    line.turn(0);
    expect(line.turns(100)).toBe(0);
    expect(line.turns(10)).toBe(10);
    expect(line.crowds).toEqual([PATIENCE, 100]);
    line.turn(0);
    line.now += 10_000;
    expect(line.turns(PATIENCE)).toBe(0);
  });

  test('is one line however many come in a turn', () => {
    const line = new Line();
    for (let turn = 0; turn < PATIENCE; turn++) expect(line.turn(3)).toBe(0);
    expect(line.turn(3)).toBe(3);
  });
});

test('a line that telling does not end is cut, and told again when it is calm', () => {
  const line = new Line();
  line.turns(PATIENCE + 1);
  expect(line.last).toBe('refuse');
  line.turns(PATIENCE / 8);
  expect(line.last).toBe('cut');
  line.turn(0);
  line.turns(PATIENCE / 20 + 1);
  expect(line.last).toBe('cut');
  line.turn(0);
  line.now += 10_000;
  line.turns(PATIENCE + 1);
  expect(line.last).toBe('refuse');
});

test('a line with gaps is never refused, however many come', () => {
  const line = new Line();
  for (let turn = 0; turn < 20_000; turn++) expect(line.turn(turn % 2 === 0 ? 5 : 0)).toBe(0);
});

test('one long turn is no line', () => {
  const line = new Line();
  line.turn(1, 10 * PATIENCE);
  line.turn(0);
  expect(line.turn(1)).toBe(0);
});

test('nothing runs when nobody comes', () => {
  const line = new Line();
  line.turns(3);
  line.turn(0);
  expect(line.idle).toBe(true);
});

test('without patience nobody is looked at', () => {
  const line = new Line(0);
  expect(line.turns(10 * PATIENCE)).toBe(0);
  expect(line.idle).toBe(true);
});
