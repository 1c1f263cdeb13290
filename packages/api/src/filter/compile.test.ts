import { isPosternError } from '@postern/errors';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFilter } from './compile.ts';
import type { FilterFields } from './values.ts';

const FIELDS: FilterFields = {
  kinds: {
    id: 'id',
    type: 'string',
    name: 'string',
    created_at: 'time',
    bindings: 'list',
    acl: 'list',
    port: 'number',
    pooling_enabled: 'bool',
    principal: 'ref',
  },
  aliases: { binding: 'bindings' },
  synonyms: { type: { agent: 'ephemeral' } },
};
const ROW = {
  id: 'ep_2na2Kih',
  type: 'ephemeral',
  name: 'web',
  created_at: '2025-09-04T10:11:35Z',
  bindings: ['public'],
  acl: [],
  port: 443,
  pooling_enabled: false,
  principal: { id: 'usr_1', uri: '' },
};
const NOW = Date.parse('2025-09-10T00:00:00Z');
const run = (source: string, row: object = ROW): boolean => compileFilter(source, FIELDS)({ ...row }, NOW);

describe('filters that hold or do not', () => {
  it.each([
    ['obj.type == "cloud" || obj.type == "agent"', true],
    ["obj.type == 'ephemeral'", true],
    ['obj.type in ["agent", "cloud"]', true],
    ['obj.type in ["cloud",]', null],
    ['obj.type in []', false],
    ['"public" in obj.bindings || "internal" in obj.bindings', true],
    ['"internal" in obj.bindings', false],
    ['obj.binding == "public"', true],
    ['obj.binding != "public"', false],
    ['!("internal" in obj.binding)', true],
    ['!!obj.pooling_enabled', false],
    ['!obj.pooling_enabled && obj.port == 443', true],
    ['obj.port >= 443 && obj.port < 444.5 && obj.port != -1', true],
    ['obj.created_at < timestamp("2025-10-31T09:23:45-07:00")', true],
    ['obj.created_at < timestamp("2025-05-10Z")', false],
    ['obj.created_at >= timestamp(time.now).subtract("7d")', true],
    ['obj.created_at >= timestamp(time.now).subtract("1d12h")', false],
    ['timestamp(obj.created_at) <= timestamp(time.now).add("24h")', true],
    ['obj.created_at == "2025-09-04T12:11:35+02:00"', true],
    ['obj.name.startsWith("w") && obj.name.endsWith("eb") && obj.name.contains("e")', true],
    ['obj.name.contains("x")', false],
    ['obj.name < "x" && obj.name > "a"', true],
    ['size(obj.name) == 3 && obj.name.size() == 3 && size(obj.acl) == 0', true],
    ['obj.acl == null || obj.acl == ""', true],
    ['obj.acl == ""', true],
    ['obj.bindings == null', false],
    ['obj.name != "" && null != obj.name', true],
    ['obj.id == "ep_2na2Kih"', true],
    ['obj.id in ["ep_2na2Kih"]', true],
    ['obj.principal.id == "usr_1" && obj.principal == "usr_1"', true],
    ['true && (false || true)', true],
    ['obj.name == "a\\"b"', false],
    ['obj.name == "\\u0077\\x65\\142" && obj.name == \'\\U00000077eb\'', true],
    ['size("\\a\\b\\f\\v\\`\\?\\U0001F600") == 7', true],
    // Precedence: && before ||, ! before ==.
    ['true || true && false', true],
    ['!false == true', true],
  ])('%s', (source, holds) => {
    if (holds === null) expect(() => run(source)).toThrow();
    else expect(run(source)).toBe(holds);
  });

  it('treats an absent field as empty', () => {
    const row = { id: 'ep_1' };
    expect(run('obj.name == "" && obj.name == null && obj.principal == null', row)).toBe(true);
    expect(run('obj.name == "x" || obj.name.contains("x") || obj.port > 0 || obj.created_at < "2030-01-01"', row)).toBe(
      false,
    );
    expect(run('size(obj.name) == 0 && !("public" in obj.bindings)', row)).toBe(true);
  });
});

function refusalOf(source: string): unknown {
  try {
    return run(source);
  } catch (error) {
    return error;
  }
}

describe('filters that cannot be used', () => {
  it.each([
    ['', 'a value is missing'],
    ['obj', '"." is missing'],
    ['obj.nope == 1', 'known fields: id, type'],
    ['obj.toString == 1', 'obj.toString'],
    ['obj.name', 'neither true nor false'],
    ['obj.port == "443"', 'different kinds'],
    ['obj.pooling_enabled == "true"', 'different kinds'],
    ['obj.bindings in ["public"]', 'is a list itself'],
    ['["a"] in obj.bindings', 'a value is missing'],
    ['obj.id.startsWith("ep_")', 'compare them with =='],
    ['obj.name.matches("a+")', 'matches()'],
    ['obj.name.constructor("a")', 'constructor()'],
    ['obj.name == "a" ? true : false', '?'],
    ['obj.port + 1 == 2', '+'],
    ['obj.bindings[0] == "a"', '"["'],
    ['obj.created_at < "yesterday"', 'RFC 3339'],
    ['timestamp("soon") < obj.created_at', 'timestamp()'],
    ['obj.created_at > timestamp(time.now).add("soon")', 'duration'],
    ['obj.pooling_enabled < true', 'no order'],
    ['(obj.port == 1', '")" is missing'],
    ['obj.port == 1)', 'not expected'],
    ['obj.name == "abc', 'not closed'],
    ['obj.name == "\\q"', 'no known escape'],
    ['obj.name == "\\u00"', 'no known escape'],
    ['obj.name == "\\ud83d\\ude00"', 'is no character'],
    ['obj.name == "\\U00110000"', 'is no character'],
    ['name == "abc"', 'obj.<field>'],
    ['size(obj.port) == 1', 'size()'],
    ['1 < 2 < 3', 'not expected'],
    ['('.repeat(2_000), 'deeper'],
    [`obj.name == "${'x'.repeat(5_000)}"`, '4096'],
  ])('%s', (source, says) => {
    expect(refusalOf(source)).toMatchObject({ number: 250, message: expect.stringContaining(says) });
  });

  it('whatever comes, it compiles and runs, or is refused with 250', () => {
    const piece = fc.constantFrom(
      'obj',
      '.',
      'type',
      'name',
      'bindings',
      'port',
      'created_at',
      'id',
      '==',
      '!=',
      '<',
      '&&',
      '||',
      '!',
      '(',
      ')',
      '[',
      ']',
      ',',
      '"a"',
      "'b'",
      '1',
      '-2.5',
      'in',
      'size',
      'timestamp',
      'time',
      'now',
      'contains',
      'null',
      'true',
      ' ',
      '\\',
      '"',
    );
    const source = fc.oneof(
      fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join('')),
      fc.string(),
    );
    fc.assert(
      fc.property(source, (text) => {
        try {
          expect(typeof run(text)).toBe('boolean');
        } catch (error) {
          expect(isPosternError(error) && error.number).toBe(250);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
