import { BlockList, isIPv4 } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CidrSet, parseCidr, parseIp } from './cidr.ts';

const octet = fc.constantFrom(0, 1, 10, 127, 128, 255);
const v4 = fc.tuple(octet, octet, octet, octet).map((parts) => parts.join('.'));
const group = fc.constantFrom('0', '1', 'ab', 'ffff', '8000');
/** Never one that is IPv4 inside IPv6: node's list does not know those. */
const v6 = fc.array(group, { minLength: 7, maxLength: 7 }).map((parts) => ['2001', ...parts].join(':'));
const address = fc.oneof(v4, v6);
const cidr = fc.oneof(
  fc.tuple(v4, fc.integer({ min: 0, max: 32 })).map(([ip, length]) => `${ip}/${length}`),
  fc.tuple(v6, fc.integer({ min: 0, max: 128 })).map(([ip, length]) => `${ip}/${length}`),
);

/** Node's own list, one range at a time. */
function isIn(ip: string, range: string): boolean {
  const list = new BlockList();
  const [net = '', length = '0'] = range.split('/');
  list.addSubnet(net, Number(length), isIPv4(net) ? 'ipv4' : 'ipv6');
  return isIPv4(ip) === isIPv4(net) && list.check(ip, isIPv4(ip) ? 'ipv4' : 'ipv6');
}

describe('CidrSet', () => {
  it('finds what a naive search finds, and the narrowest range', () => {
    fc.assert(
      fc.property(fc.array(cidr, { maxLength: 20 }), address, (ranges, ip) => {
        const hits = ranges.filter((range) => isIn(ip, range));
        const found = new CidrSet(ranges).match(ip);
        expect(found !== null).toBe(hits.length > 0);
        if (found !== null) {
          const narrowest = Math.max(...hits.map((range) => Number(range.split('/')[1])));
          expect(hits).toContain(found);
          expect(Number(found.split('/')[1])).toBe(narrowest);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('reads addresses strictly', () => {
    for (const text of ['1.2.3', '1.2.3.4.5', '01.2.3.4', '256.1.1.1', '1.2.3.4 ', '', '1.2.3.', ':::', 'x']) {
      expect(parseIp(text)).toBeNull();
    }
    expect(parseIp('255.255.255.255')).toEqual({ family: 4, value: 4_294_967_295 });
    expect(parseIp('::1')).toEqual({ family: 6, value: 1n });
    expect(parseIp('fe80::1%eth0')?.family).toBe(6);
    expect(parseIp('::ffff:1.2.3.4')).toEqual({ family: 4, value: 0x01020304 });
  });

  it('reads ranges with host bits, bare addresses and mapped ones', () => {
    expect(parseCidr('66.249.66.1/24')).toMatchObject({ first: 0x42f94200, last: 0x42f942ff });
    expect(parseCidr('198.51.100.42')).toMatchObject({ first: 0xc633642a, last: 0xc633642a });
    expect(parseCidr('::ffff:10.0.0.0/104')).toMatchObject({ family: 4, first: 0x0a000000, last: 0x0affffff });
    expect(parseCidr('0.0.0.0/0')).toMatchObject({ first: 0, last: 4_294_967_295 });
    expect(parseCidr('::ffff:10.0.0.0/64')).toMatchObject({ family: 6, first: 0n, last: 2n ** 64n - 1n });
    for (const text of ['1.2.3.4/33', '1.2.3.4/', '1.2.3.4/-1', '1.2.3.4/08', '::/129', '$YOUR_IP/32', '']) {
      expect(parseCidr(text)).toBeNull();
    }
  });
});
