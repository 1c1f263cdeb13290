import { describe, expect, it } from 'vitest';
import { matching } from '../../testing/judge.ts';

const found = (value: string): boolean =>
  matching('SecRule ARGS:v "@detectSQLi" "id:1,phase:1"', { target: `/?v=${encodeURIComponent(value)}` }).length > 0;

/** What TX.0 has: the kinds of the tokens. */
const kinds = (value: string): number[] =>
  matching(
    'SecRule ARGS:v "@detectSQLi" "id:1,phase:1,capture,pass,nolog"\nSecRule TX:0 "@streq s&sos" "id:2,phase:1"',
    {
      target: `/?v=${encodeURIComponent(value)}`,
    },
  );

describe('@detectSQLi', () => {
  it.each([
    `1' OR '1'='1`,
    `1" OR "1"="1`,
    `1 OR 1=1`,
    `-1' AND 1=(SELECT COUNT(*) FROM users)--`,
    `1 UNION ALL SELECT NULL, version()`,
    `1/**/UNION/**/SELECT/**/password/**/FROM/**/users`,
    `1'; DROP TABLE users--`,
    `admin'--`,
    `1 AND SLEEP(5)`,
    `' OR 1=1 LIMIT 1 -- -`,
    `SELECT pg_sleep(5)`,
    `') OR ('a'='a`,
    `1 /*! UNION SELECT */ 2`,
    `1; WAITFOR DELAY '0:0:5'--`,
    `1 + (SELECT 1 FROM dual)`,
    `x' AND 1 IN (1,2) AND 'y'='y`,
    `$$a$$ || $$b$$ union select 1`,
    `1 AND 0x41=0x41`,
    `1 or q'[a]' = q'[a]'`,
    `@@version union select 1`,
    `e'a' or 1=1--`,
    `1e0union select 2`,
  ])('takes %j', (value) => expect(found(value)).toBe(true));

  it.each([
    'hello world',
    'salt and pepper',
    `it's fine`,
    `O'Brien and sons`,
    'select your seat',
    'a union of states',
    'order by phone',
    '1,000.00',
    'user@example.com',
    '2026-11-29T07:30:00Z',
    'C++ & C#',
    '-5',
    'x',
    'drop me a line',
    '{"a":1}',
    'rock & roll',
    'tom and 17',
    '1 + 1',
    'price < 100',
    'for %variable in set do command',
    'for /f "usebackq" %v in (`command`) do this',
    'if "%VAR%" == "after" @echo ok',
    'AND engine = "',
    '; insert into',
    '"onzoom=',
    'from the tables where it is said',
    'blah;domain=.example.dom;',
    'https://example.com/a/b?c=d',
  ])('leaves %j alone', (value) => expect(found(value)).toBe(false));

  it('tells what it has found', () => {
    expect(kinds(`1' OR '1'='1`)).toEqual([2]);
  });

  it('takes time by the length of a text', () => {
    for (const unit of ["'", '\\', '/*', '$a$', '(', 'a.', '1e', '`', "''", '- ', 'union ', 'n.']) {
      expect(typeof found(unit.repeat(3_000))).toBe('boolean');
    }
  });
});
