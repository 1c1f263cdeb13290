/** What cel-go gives, where the library that we parse with gives something else. */
import { describe, expect, it } from 'vitest';
import { makeContext } from '../../testing/context.ts';
import { compileExpression } from '../compile.ts';
import { equal } from '../operations.ts';
import type { Scope } from '../scope.ts';
import { Failure, type Result } from '../value.ts';
import { RequestParts } from '../variables/request-parts.ts';
import { BUDGET } from '../work.ts';

const PHASE = { phase: 'on_http_request', usesResult: () => {} } as const;
const scope = (): Scope => ({
  context: makeContext(),
  vars: new Map(),
  locals: [],
  budget: BUDGET,
  parts: new RequestParts(),
});
const given = (text: string): Result => compileExpression(text, PHASE).eval(scope());
const same = (one: string, other: string): boolean => {
  const [a, b] = [given(one), given(other)];
  return !(a instanceof Failure) && !(b instanceof Failure) && equal(a, b, scope());
};

const isSame = (text: string, wanted: string): void => expect(same(text, wanted)).toBe(true);
const fails = (text: string): void => expect(given(text)).toBeInstanceOf(Failure);

describe('places in texts are counted in characters', () => {
  it.each([
    ["'a😀b'.charAt(1)", "'😀'"],
    ["'a😀b'.charAt(2)", "'b'"],
    ["'a😀b'.charAt(3)", "''"],
    ["'a😀b'.substring(1)", "'😀b'"],
    ["'a😀b'.substring(1, 2)", "'😀'"],
    ["'a😀b'.substring(3, 3)", "''"],
    ["'😀a😀b'.indexOf('b')", '3'],
    ["'😀a😀b'.indexOf('😀', 1)", '2'],
    ["'😀a😀b'.lastIndexOf('😀')", '2'],
    ["'😀a😀b'.lastIndexOf('😀', 1)", '0'],
    ["'😀'.indexOf('x')", '-1'],
    ["'a😀b'.split('')", "['a', '😀', 'b']"],
    ["size('a😀b'.substring(0, size('a😀b')))", '3'],
  ])('%s is %s', isSame);

  it.each([
    "'a😀b'.charAt(4)",
    "'a😀b'.charAt(-1)",
    "'a😀b'.substring(4)",
    "'a😀b'.substring(1, 4)",
    "'a😀b'.substring(2, 1)",
    "'a😀b'.indexOf('b', 3)",
    "'a'.substring(9223372036854775807)",
  ])('%s is outside', fails);
});

describe('split(separator, n) keeps what is left in its last piece', () => {
  it.each([
    ["'a b c'.split(' ', 2)", "['a', 'b c']"],
    ["'Bearer a=b=c'.split('=', 2)[1]", "'b=c'"],
    ["'a b c'.split(' ', 1)", "['a b c']"],
    ["'a b c'.split(' ', 0)", '[]'],
    ["'a b c'.split(' ', -1)", "['a', 'b', 'c']"],
    ["'a b c'.split(' ', 3)", "['a', 'b', 'c']"],
    ["'a b c'.split(' ', 9)", "['a', 'b', 'c']"],
    ["''.split(',', 2)", "['']"],
    ["'a😀b'.split('', 2)", "['a', '😀b']"],
  ])('%s is %s', isSame);
});

describe('texts that are numbers', () => {
  it.each([
    ["int('-9223372036854775808')", '-9223372036854775808'],
    ["int('+7') + int('007')", '14'],
    ["uint('18446744073709551615')", '18446744073709551615u'],
    ["double('1.5e3') + double('.5') + double('-1.')", '1499.5'],
    ["double('-Inf')", '-1.0 / 0.0'],
  ])('%s is %s', isSame);

  it.each([
    "int('')",
    "int(' 1')",
    "int('1 ')",
    "int('0x10')",
    "int('1_000')",
    "int('1.0')",
    "int('9223372036854775808')",
    "uint('')",
    "uint('-1')",
    "uint('+1')",
    "uint('18446744073709551616')",
    "double('')",
    "double(' 1')",
    "double('0x10')",
    "double('abc')",
    "double('1,5')",
    "double('1e999')",
    `int('${'1'.repeat(201)}')`,
    `double('${'1'.repeat(201)}')`,
  ])('%s fails', fails);
});

describe('seconds that are times', () => {
  it.each([
    ['timestamp(1700000000)', "timestamp('2023-11-14T22:13:20Z')"],
    ["int(timestamp(int('1700000000')))", '1700000000'],
    ['timestamp(-62135596800)', "timestamp('0001-01-01T00:00:00Z')"],
    ['timestamp(1700000000) < timestamp(time.now)', 'true'],
  ])('%s is %s', isSame);

  it.each(['timestamp(253402300800)', 'timestamp(-62135596801)', 'timestamp(9223372036854775807)'])(
    '%s is outside',
    fails,
  );
});

describe('what the calendar has', () => {
  it.each([
    ["timestamp('2028-02-29T23:59:59Z')", 'timestamp(1835481599)'],
    ["timestamp('2026-02-28T10:00:00+01:00')", "timestamp('2026-02-28T09:00:00Z')"],
    ["timestamp('0001-01-01T00:00:00Z')", 'timestamp(-62135596800)'],
    ["duration('1h30m')", "duration('5400s')"],
  ])('%s is %s', isSame);

  it.each([
    "timestamp('2026-02-29T00:00:00Z')",
    "timestamp('2026-04-31T00:00:00Z')",
    "timestamp('2026-13-01T00:00:00Z')",
    "timestamp('2026-00-01T00:00:00Z')",
    "timestamp('2026-01-00T00:00:00Z')",
    "timestamp('2026-02-28T24:00:00Z')",
    "timestamp('2026-02-28')",
    "timestamp('')",
    `timestamp('${'1'.repeat(201)}')`,
    "duration('')",
    "duration('1d')",
    `duration('${'1'.repeat(201)}s')`,
  ])('%s fails', fails);
});

describe('values as texts', () => {
  it.each([
    ['string(1.0)', '1'],
    ['string(0.1)', '0.1'],
    ['string(123456.75)', '123456.75'],
    ['string(1234567.0)', '1.234567e+06'],
    ['string(100000000.0)', '1e+08'],
    ['string(0.0001)', '0.0001'],
    ['string(0.00001)', '1e-05'],
    ['string(-1e21)', '-1e+21'],
    ['string(0.0)', '0'],
    ['string(-0.0)', '-0'],
    ['string(1.0 / 0.0)', '+Inf'],
    ['string(-1.0 / 0.0)', '-Inf'],
    ['string(0.0 / 0.0)', 'NaN'],
    ["string(duration('1h30m'))", '5400s'],
    ["string(duration('1.5s'))", '1.5s'],
    ["string(duration('-1us'))", '-0.000001s'],
    ["string(duration('0s'))", '0s'],
    ["string(timestamp('2026-02-28T10:00:00Z'))", '2026-02-28T10:00:00Z'],
    ["string(timestamp('2026-02-28T10:00:00.50Z'))", '2026-02-28T10:00:00.5Z'],
    ["string(timestamp('2026-02-28T10:00:00.000000001Z'))", '2026-02-28T10:00:00.000000001Z'],
  ])('%s is %s', (text, wanted) => expect(given(text)).toBe(wanted));
});

describe('texts that are true or false', () => {
  it.each(['1', 't', 'T', 'true', 'TRUE', 'True'])('%s is true', (text) => expect(given(`bool('${text}')`)).toBe(true));
  it.each(['0', 'f', 'F', 'false', 'FALSE', 'False'])('%s is false', (text) =>
    expect(given(`bool('${text}')`)).toBe(false),
  );
  it.each(['', 'yes', 'tRUE', ' true', '2'])('"%s" is neither', (text) =>
    expect(given(`bool('${text}')`)).toBeInstanceOf(Failure),
  );
});
