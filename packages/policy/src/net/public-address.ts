/** Which addresses are of the internet: where others choose what the server asks, it asks nothing else. */
import { isIPv4 } from 'node:net';
import { CidrSet } from './cidr.ts';

/** Not for the internet (RFC 6890, and what carries an IPv4 address inside). */
const IPV4_SPECIAL = new CidrSet([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]);
const IPV6_GLOBAL = new CidrSet(['2000::/3']);
const IPV6_SPECIAL = new CidrSet(['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']);

export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return IPV4_SPECIAL.match(address) === null;
  // IPv4 inside IPv6 is in none of them, so it is refused.
  return IPV6_GLOBAL.match(address) !== null && IPV6_SPECIAL.match(address) === null;
}
