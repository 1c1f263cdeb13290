/** Address tests (traffic-policy.md §7): a bad range matches nothing, host bits do not matter. */
import type { CelList } from '@bufbuild/cel';
import { CidrSet, parseCidr, parseIp, type Cidr, type Ip } from '../../net/cidr.ts';
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

function isIn(ip: Ip | null, text: string): boolean {
  const cidr = range(text);
  return ip !== null && cidr !== null && ip.family === cidr.family && ip.value >= cidr.first && ip.value <= cidr.last;
}

/** Lists that stand in a policy come again with each request, and are put in order the second time; others never do. */
const ordered = new WeakMap<CelList, CidrSet | 'seen once'>();

function isInOneOf(address: string, list: CelList): boolean {
  const known = ordered.get(list);
  if (known instanceof CidrSet) return known.match(address) !== null;
  if (known === undefined) ordered.set(list, 'seen once');
  else ordered.set(list, new CidrSet([...list].filter((item) => typeof item === 'string')));
  const ip = parseIp(address);
  for (const cidr of list) if (typeof cidr === 'string' && isIn(ip, cidr)) return true;
  return false;
}

const PRIVATE = new CidrSet(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']);

export const IP_FUNCTIONS: readonly FunctionDef[] = [
  define('global', 'inCidrRange', ['string', 'string'], 'bool', (_, ip, cidr) => isIn(parseIp(ip), cidr)),
  define('global', 'inCidrRanges', ['string', 'list'], 'bool', (_, ip, list) => isInOneOf(ip, list)),
  define('method', 'isPrivateIp', ['string'], 'bool', (_, ip) => PRIVATE.match(ip) !== null),
];
