import { BlockList, isIPv4, isIPv6 } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cidrCheck } from './cidr.ts';

const check = cidrCheck({ invalid: 1406, noMask: 1413, hostBits: 1409 });

test.each([
  '0.0.0.0/0',
  '10.0.0.0/8',
  '192.0.2.7/32',
  '::/0',
  '2001:db8::/32',
  '2001:DB8::1/128',
  '::ffff:1.2.3.4/128',
])('%s is a network', (cidr) => expect(check(cidr)).toBeNull());

test.each([
  ['', 1406],
  ['office', 1406],
  ['10.0.0.0/33', 1406],
  ['10.0.0.0/08', 1406],
  ['10.0.0.0/', 1406],
  ['10.0.0.0/8/8', 1406],
  ['010.0.0.0/8', 1406],
  ['10.0.0/8', 1406],
  ['256.0.0.0/8', 1406],
  [' 10.0.0.0/8', 1406],
  ['fe80::1%eth0/64', 1406],
  ['2001:db8:::/32', 1406],
  ['::/129', 1406],
  [`${'1'.repeat(100_000)}/8`, 1406],
  ['10.0.0.0', 1413],
  ['::1', 1413],
  ['10.0.0.1/8', 1409],
  ['2001:db8::1/32', 1409],
])('%s is refused with %i', (cidr, error) => expect(check(cidr)?.error).toBe(error));

describe('the first address of a network', () => {
  const v4 = fc.tuple(fc.ipV4(), fc.nat(32)).map(([ip, bits]) => ({ ip, bits, family: 'ipv4' as const }));
  const v6 = fc.tuple(fc.ipV6(), fc.nat(128)).map(([ip, bits]) => ({ ip, bits, family: 'ipv6' as const }));

  test('is suggested for any other one, and is the right one', () => {
    fc.assert(
      fc.property(fc.oneof(v4, v6), ({ ip, bits, family }) => {
        const problem = check(`${ip}/${bits}`);
        if (problem === null) return;
        expect(problem.error).toBe(1409);
        const network = String(problem.params['network']);
        expect(check(network)).toBeNull();
        const [first = '', mask] = network.split('/');
        expect([isIPv4(first) || isIPv6(first), mask]).toEqual([true, String(bits)]);
        const list = new BlockList();
        list.addSubnet(first, bits, family);
        expect(list.check(ip, family)).toBe(true);
      }),
    );
  });
});
