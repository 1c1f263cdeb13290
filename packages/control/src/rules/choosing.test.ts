import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  firstOf,
  fromAnywhere,
  namesOf,
  type PortThere,
  standingOfName,
  standingOfPort,
  type Standing,
} from './choosing.ts';

describe('a port', () => {
  const nobody: PortThere = { reservations: [], held: false, leftLately: false };
  const own = { accountId: 'ac_1', automatic: true };

  test.each<[string, Partial<PortThere>, Standing]>([
    ['that nobody has or had', {}, 'free'],
    ['that somebody holds', { held: true }, 'taken'],
    ['that an agent left a moment ago', { leftLately: true }, 'awaited'],
    ['that the account’s own agent reserved by binding', { reservations: [own] }, 'awaited'],
    [
      'that is reserved to stay, also for the account itself',
      { reservations: [{ ...own, automatic: false }] },
      'taken',
    ],
    ['that another account’s agent reserved', { reservations: [{ ...own, accountId: 'ac_2' }] }, 'taken'],
    ['that is held and was left', { held: true, leftLately: true }, 'taken'],
  ])('%s', (_, there, expected) => {
    expect(standingOfPort({ ...nobody, ...there }, 'ac_1')).toBe(expected);
  });
});

test('a generated name is one that nobody has and nobody has reserved', () => {
  expect(standingOfName({ reserved: false, held: false })).toBe('free');
  expect(standingOfName({ reserved: true, held: false })).toBe('taken');
  expect(standingOfName({ reserved: false, held: true })).toBe('taken');
});

test('a label goes under every base domain that the ACL allows, in their order', () => {
  const allows = (host: string): boolean => !host.endsWith('.two.test');
  expect(namesOf('abc', ['one.test', 'two.test', 'three.test'], allows)).toEqual(['abc.one.test', 'abc.three.test']);
  expect(namesOf('abc', [], allows)).toEqual([]);
});

test('the dice say where the order begins, and nothing is lost or twice', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(), { maxLength: 20 }), fc.nat(2 ** 32 - 1), (list, dice) => {
      const turned = fromAnywhere(list, dice);
      expect([...turned].toSorted((a, b) => a - b)).toEqual([...list].toSorted((a, b) => a - b));
      expect(turned[0]).toBe(list.length === 0 ? undefined : list[dice % list.length]);
    }),
  );
  expect(fromAnywhere(['a', 'b', 'c'], 4)).toEqual(['b', 'c', 'a']);
});

test('the first that is free wins; one that is awaited only when none is', () => {
  const standings = fc.array(fc.constantFrom<Standing>('free', 'awaited', 'taken'), { maxLength: 12 });
  fc.assert(
    fc.property(standings, fc.option(fc.constant(-1)), (there, before) => {
      const { free, awaited } = firstOf([...there.keys()], (index) => there[index] ?? 'taken', before);
      const firstFree = there.indexOf('free');
      expect(free).toBe(firstFree < 0 ? null : firstFree);
      if (free !== null) return;
      const firstAwaited = there.indexOf('awaited');
      expect(awaited).toBe(before ?? (firstAwaited < 0 ? null : firstAwaited));
    }),
  );
});
