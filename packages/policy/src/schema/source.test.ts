import { expect, it } from 'vitest';
import { readSource } from './source.ts';

const DENY = { on_http_request: [{ actions: [{ type: 'deny' }] }] };
const YAML = 'on_http_request:\n  - actions:\n      - type: deny\n';

it.each([
  ['---\n', ''],
  ['%YAML 1.2\n---\n', ''],
  ['# rules\n---\n', '...\n'],
  ['', '---\n'],
  ['', '---\n# nothing more\n'],
  ['\ufeff', '...\n---\n'],
])('one document is read, whatever stands around it: %j %j', (before, behind) => {
  expect(readSource(`${before}${YAML}${behind}`)).toEqual(DENY);
});

it('signs of JSON in its texts are no members', () => {
  const value = { 'a:": ': ['b:c', '\\":', '"', '\\'], '': { ':': 'd": {"e": 1}' }, n: [1, { o: {} }, null] };
  expect(readSource(JSON.stringify(value))).toEqual(value);
  expect(readSource(JSON.stringify(value, null, 2))).toEqual(value);
});

it.each(['', '\n', '# nothing', '---\n', 'null'])('%j is no policy and no mistake', (text) => {
  expect(readSource(text)).toBeNull();
});
