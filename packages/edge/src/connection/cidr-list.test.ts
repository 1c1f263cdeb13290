import { expect, test } from 'vitest';
import { CidrList } from './cidr-list.ts';

test.each([
  ['10.0.0.0/8', '10.1.2.3', true],
  ['10.0.0.0/8', '11.1.2.3', false],
  ['192.0.2.7', '192.0.2.7', true],
  ['192.0.2.7', '192.0.2.8', false],
  ['2001:db8::/32', '2001:db8::1', true],
  ['2001:db8::/32', '2001:db9::1', false],
  ['0.0.0.0/0', '203.0.113.9', true],
  ['10.0.0.0/8', 'not an address', false],
])('%s and %s', (range, address, expected) => {
  expect(new CidrList([range]).has(address)).toBe(expected);
});

test.each(['10.0.0.0/33', '10.0.0/8', '::/129', 'a.example.com', '10.0.0.0/', '10.0.0.0/x', ''])(
  '%j is refused by name',
  (range) => {
    expect(() => new CidrList([range])).toThrow(`"${range}"`);
  },
);
