import { describe, expect, it } from 'vitest';
import { compileRules } from '../rules/compile.ts';
import { judge, matching } from '../testing/judge.ts';

const compile = (text: string) => compileRules([{ name: 'a.conf', text }], () => null);
const refusal = (text: string): string => {
  try {
    compile(text);
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
  return 'accepted';
};

describe('files of rules', () => {
  it('have comments, continued lines and quotes within quotes', () => {
    const rules = String.raw`
# a comment
SecRule ARGS:q|\
    ARGS:r "@rx \"a, b\"" \
    "id:1,\
    phase:2,\
    # a comment between
    msg:'It\'s, well',\
    logdata:'%{MATCHED_VAR_NAME}=%{MATCHED_VAR}',severity:'CRITICAL'"
`;
    const { matched } = judge(rules, { target: '/?r=%22a,%20b%22' });
    expect(matched).toEqual([{ id: 1, message: "It's, well", severity: 'critical', data: 'ARGS:r="a, b"' }]);
  });

  it('are refused with file and line', () => {
    expect(refusal('\n\nSecRule ARGS "@rx a')).toBe('a.conf:3: a quote (") is not closed');
    expect(refusal('SecRule ARGS "@rx a" "id:1" \\')).toMatch(/^a\.conf:1: the file ends within a directive/);
    expect(refusal('SecRule NOTHING "@rx a" "id:1"')).toBe('a.conf:1: "NOTHING" is no variable');
    expect(refusal('SecRule ENV:PATH "@rx a" "id:1"')).toBe('a.conf:1: "ENV" is no variable');
    expect(refusal('SecRule ARGS "@what a" "id:1"')).toBe('a.conf:1: "@what" is no operator');
    expect(refusal('SecRule ARGS "@rx a" "id:1,t:what"')).toBe('a.conf:1: "t:what" is no transformation');
    expect(refusal('SecRule ARGS "@rx a" "id:1,exec:/bin/sh"')).toMatch(/"exec" is no action that is run here/);
    expect(refusal('SecRule ARGS "@rx a" "phase:2"')).toBe('a.conf:1: a rule needs an id');
    expect(refusal('SecRule ARGS "@rx a" "id:1"\nSecRule ARGS "@rx a" "id:1"')).toMatch(
      /:2: .*taken by a rule at a\.conf:1/,
    );
    expect(refusal('SecRule ARGS "@rx a" "id:1,chain"')).toBe('a.conf:1: the chain has no further rule');
    expect(refusal('SecRule ARGS "@pmFromFile a.data" "id:1"')).toBe('a.conf:1: the file a.data is not there');
    expect(refusal('SecWhat On')).toMatch(/^a\.conf:1: "SecWhat" is no directive/);
    expect(refusal('SecRequestBodyAccess On')).toBe('accepted');
  });

  it('name rules that are not run, and run the others', () => {
    const set = compile(String.raw`
SecRule ARGS "@rx (a)\1" "id:1"
SecRule ARGS "@geoLookup" "id:2"
SecRule ARGS "@rx b" "id:3"`);
    expect(set.size).toBe(1);
    expect(set.notRun.map(({ id, line }) => [id, line])).toEqual([
      [1, 2],
      [2, 3],
    ]);
  });

  it('change and take away other rules', () => {
    const rules = `
SecRule ARGS "@rx a" "id:1,tag:'one'"
SecRule ARGS "@rx a" "id:2,tag:'two',msg:'Second'"
SecRule ARGS "@rx a" "id:3"
SecRule ARGS "@rx a" "id:10,pass"`;
    const facts = { target: '/?q=a&token=a' };
    expect(matching(rules, facts)).toEqual([1, 2, 3, 10]);
    expect(matching(`${rules}\nSecRuleRemoveById 1 3-9`, facts)).toEqual([2, 10]);
    expect(matching(`${rules}\nSecRuleRemoveByTag one`, facts)).toEqual([2, 3, 10]);
    expect(matching(`${rules}\nSecRuleRemoveByMsg Second`, facts)).toEqual([1, 3, 10]);
    expect(matching(`${rules}\nSecRuleUpdateTargetById 1 "!ARGS:q,!ARGS:token"`, facts)).toEqual([2, 3, 10]);
    expect(judge(`${rules}\nSecRuleUpdateActionById 10 "deny"`, facts).denied).toBe(true);
  });
});
