/** Address tests (traffic-policy.md §7): a bad range matches nothing, host bits do not matter. */
import { CidrSet, parseCidr, parseIp, type Cidr } from '../../net/cidr.ts';
import { define, type FunctionDef } from './definition.ts';

const MAX_CACHED = 256;
const cache = new Map<string, Cidr | null>();

function range(text: string): Cidr | null {
  // Longer than any range: not worth a place in the cache.
  if (text.length > 150) return null;
  let cidr = cache.get(text);
  if (cidr === undefined) {
    cidr = parseCidr(text);
    if (cache.size >= MAX_CACHED) cache.clear();
    cache.set(text, cidr);
  }
  return cidr;
}

function isIn(address: string, text: string): boolean {
  const ip = parseIp(address);
  const cidr = range(text);
  return ip !== null && cidr !== null && ip.family === cidr.family && ip.value >= cidr.first && ip.value <= cidr.last;
}

const PRIVATE = new CidrSet(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']);

export const IP_FUNCTIONS: readonly FunctionDef[] = [
  define('global', 'inCidrRange', ['string', 'string'], 'bool', (_, ip, cidr) => isIn(ip, cidr)),
  define('global', 'inCidrRanges', ['string', 'list'], 'bool', (_, ip, list) => {
    for (const cidr of list) if (typeof cidr === 'string' && isIn(ip, cidr)) return true;
    return false;
  }),
  define('method', 'isPrivateIp', ['string'], 'bool', (_, ip) => PRIVATE.match(ip) !== null),
];
