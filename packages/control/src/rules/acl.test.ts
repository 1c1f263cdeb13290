import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { allowsAddress, deniedLabel, parseAclRule } from './acl.ts';

test.each([
  '*',
  'bind:*',
  'bind:app.example.com',
  'bind:*.example.com',
  'bind:localhost:20001',
  'bind:team=web',
  'bind:*=*',
])('%s is a rule', (rule) => {
  expect(parseAclRule(rule)).not.toBeNull();
});

test.each([
  '',
  'app.example.com',
  'bind:',
  'bind:a..b',
  'bind:=x',
  'bind:x=',
  'bind:h:0',
  'bind:h:port',
  'bind:a*.b',
  'allow:x',
])('%s is none', (rule) => {
  expect(parseAclRule(rule)).toBeNull();
});

test.each([
  [[], 'any.example', 443, true],
  [['*'], 'any.example', 443, true],
  [['bind:app.example.com'], 'app.example.com', 443, true],
  [['bind:APP.example.com'], 'app.example.com', 443, true],
  [['bind:app.example.com'], 'x.app.example.com', 443, false],
  [['bind:*.example.com'], 'a.b.example.com', 443, true],
  [['bind:*.example.com'], '*.example.com', 443, true],
  [['bind:*.example.com'], 'example.com', 443, false],
  [['bind:*.example.com'], 'badexample.com', 443, false],
  [['bind:localhost:20001'], 'localhost', 20_001, true],
  [['bind:localhost:20001'], 'localhost', 20_002, false],
  [['bind:localhost'], 'localhost', 20_002, true],
  [['bind:a=b'], 'app.example.com', 443, false],
  [['bind:x.example', 'bind:y.example'], 'y.example', 443, true],
] as const)('%j lets %s:%i bind: %s', (acl, host, port, allowed) => {
  expect(allowsAddress(acl, host, port)).toBe(allowed);
});

test('every label needs a rule of its own', () => {
  expect(deniedLabel([], { a: 'b' })).toBeNull();
  expect(deniedLabel(['bind:a=*'], { a: 'b', c: 'd' })).toBe('c=d');
  expect(deniedLabel(['bind:a=*', 'bind:c*=d'], { a: 'b', cc: 'd' })).toBeNull();
  expect(deniedLabel(['bind:*.example.com'], { a: 'b' })).toBe('a=b');
  expect(deniedLabel(['*'], { a: 'b' })).toBeNull();
});

test('stars match as a regular expression would', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[ab*]{1,6}$/), fc.stringMatching(/^[ab]{1,8}$/), (pattern, text) => {
      const oracle = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text);
      expect(deniedLabel([`bind:k=${pattern}`], { k: text }) === null).toBe(oracle);
    }),
  );
});
