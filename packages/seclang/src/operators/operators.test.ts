import { describe, expect, it } from 'vitest';
import { matching } from '../testing/judge.ts';
import { Phrases } from './aho-corasick.ts';
import { compilePattern } from './pattern.ts';

const matches = (operator: string, value: string, data: Readonly<Record<string, string>> = {}): boolean =>
  matching(`SecRule ARGS:v "${operator}" "id:1,phase:1"`, { target: `/?v=${encodeURIComponent(value)}` }, data).length >
  0;

describe('operators', () => {
  it.each([
    ['@beginsWith ab', 'abc', 'cab'],
    ['@contains b', 'abc', 'ac'],
    ['@containsWord or', "1' or 1", 'for'],
    ['@endsWith bc', 'abc', 'abcd'],
    ['@eq 3', '3', '4'],
    ['@eq 0', 'none', '1'],
    ['@ge 3', '3', '2'],
    ['@gt 3', '4', '3'],
    ['@le 3', '3', '4'],
    ['@lt 3', '2', '3'],
    ['!@lt 3', '3', '2'],
    ['@streq ab', 'ab', 'abc'],
    ['@within GET POST', 'GET', 'PUT'],
    ['@ipMatch 10.0.0.0/8,2001:db8::/32', '10.2.3.4', '11.2.3.4'],
    ['@ipMatch 10.0.0.0/8,2001:db8::/32', '2001:db8::1', 'no address'],
    ['@pm sleep benchmark', 'x SLEEP(1)', 'slept'],
    ['@rx ^a.c$', 'a\nc', 'abbc'],
    ['a+b', 'xaab', 'b'],
    ['@validateByteRange 32-126', 'a\tb', 'a b'],
    ['@validateUrlEncoding', 'a%zz', 'a%20'],
    ['@unconditionalMatch', 'a', 'never'],
  ])('%s takes %j and not %j', (operator, yes, no) => {
    expect(matches(operator, yes)).toBe(true);
    if (no !== 'never') expect(matches(operator, no)).toBe(false);
  });

  it('read their words from files beside the rules', () => {
    const data = { 'words.data': '# a comment\nwget\n\ncurl \n', 'nets.data': '10.0.0.0/8\n' };
    expect(matches('@pmFromFile words.data', 'a WGET b', data)).toBe(true);
    expect(matches('@pmFromFile words.data', 'comment', data)).toBe(false);
    expect(matches('@ipMatchFromFile nets.data', '10.1.1.1', data)).toBe(true);
  });

  it('tell bytes that are no UTF-8', () => {
    const of = (target: string): number[] =>
      matching('SecRule ARGS:v "@validateUtf8Encoding" "id:1,phase:1"', { target });
    expect(of('/?v=%C3%A4%F0%9F%98%80')).toEqual([]);
    for (const bad of ['%C3', '%C0%AF', '%ED%A0%80', '%FF', '%F5%80%80%80']) expect(of(`/?v=${bad}`)).toEqual([1]);
  });

  it('fill in what the rules have written down, patterns too', () => {
    const rules = `
SecAction "id:1,phase:1,nolog,setvar:'tx.allowed=|utf-8| |ascii|',setvar:'tx.charset=^(?:utf-8|ascii)$'"
SecRule ARGS:c "!@rx %{tx.charset}" "id:2,phase:1"
SecRule TX:allowed "@contains |%{ARGS.c}|" "id:3,phase:1"`;
    expect(matching(rules, { target: '/?c=utf-8' })).toEqual([3]);
    expect(matching(rules, { target: '/?c=utf-7' })).toEqual([2]);
  });
});

describe('phrases', () => {
  it('are found wherever they overlap', () => {
    const phrases = new Phrases(['abcd', 'bc', 'he', 'she', 'hers']);
    expect(phrases.find('xABCx')).toBe('BC');
    expect(phrases.find('ushe')).toBe('she');
    expect(phrases.find('abxcd')).toBeNull();
    expect(new Phrases([]).find('a')).toBeNull();
  });
});

describe('patterns of PCRE', () => {
  const test = (pattern: string, text: string): boolean => compilePattern(pattern).test(text);

  it('are run where RE2 has the same in other words', () => {
    expect(test(String.raw`^\s*+a$`, ' \va')).toBe(true);
    expect(test('^(?>ab|a)c', 'abc')).toBe(true);
    expect(test('[]a]b', ']b')).toBe(true);
    expect(test('[[:alpha:][]x', '[x')).toBe(true);
    expect(test(String.raw`a\+b`, 'a+b')).toBe(true);
    expect(test('(?<!&amp);', 'a;')).toBe(true);
    expect(test('(?<!&amp);', '&amp;')).toBe(false);
    for (const text of ['<?', '<?x', '<?xmm', '<?php']) expect(test(String.raw`<\?(?!xml)`, text)).toBe(true);
    expect(test(String.raw`<\?(?!xml)`, '<?xml')).toBe(false);
  });

  it('are not run where it has not', () => {
    expect(() => compilePattern(String.raw`(a)\1`)).toThrow(/none of RE2/);
    expect(() => compilePattern('a(?=b)c')).toThrow(/none of RE2/);
  });

  it('keep little of the texts that they have seen', () => {
    const pattern = compilePattern('(?:a|b|c|d)*x(?:a|b|c|d){60}y');
    const before = process.memoryUsage().heapUsed;
    for (let round = 0; round < 20; round++) {
      let text = '';
      for (let i = 0; i < 2_000; i++) text += 'abcdx'.charAt((i * i * (round + 3) + (i >> 3)) % 5);
      pattern.test(text);
    }
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
  });
});
