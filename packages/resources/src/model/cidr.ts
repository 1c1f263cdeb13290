/** Networks as people write them (RFC 4632 §3.1, RFC 4291 §2.3). Pure; runs in a browser. */
import type { ErrorNumber } from '@postern/errors';
import type { Problem } from './field.ts';

interface Address {
  /** Four of 8 bits, or eight of 16. */
  readonly groups: readonly number[];
  readonly width: 8 | 16;
}

interface Numbers {
  readonly invalid: ErrorNumber;
  readonly noMask: ErrorNumber;
  /** The address is not the first of its network. */
  readonly hostBits: ErrorNumber;
}

/** The longest that there is has 49 characters. */
const LONGEST = 64;

/** What is wrong with a network, by the numbers of whoever asks. */
export function cidrCheck({ invalid, noMask, hostBits }: Numbers): (cidr: string) => Problem | null {
  return (cidr) => {
    const [text = '', mask, ...rest] = cidr.split('/');
    const address = cidr.length > LONGEST || rest.length > 0 ? null : parse(text);
    if (address === null) return { error: invalid, params: { cidr: cidr.slice(0, LONGEST) } };
    const size = address.groups.length * address.width;
    if (mask === undefined) return { error: noMask, params: { cidr, bits: size } };
    const bits = Number(mask);
    if (!/^(?:0|[1-9]\d{0,2})$/.test(mask) || bits > size) return { error: invalid, params: { cidr } };
    const groups = networkOf(address, bits);
    if (groups.every((group, index) => group === address.groups[index])) return null;
    return { error: hostBits, params: { cidr, network: `${format({ ...address, groups })}/${bits}` } };
  };
}

function networkOf({ groups, width }: Address, bits: number): number[] {
  return groups.map((group, index) => {
    const kept = Math.min(Math.max(bits - index * width, 0), width);
    return group & ~((1 << (width - kept)) - 1);
  });
}

function parse(text: string): Address | null {
  return text.includes(':') ? parseV6(text) : parseV4(text);
}

function parseV4(text: string): Address | null {
  const parts = text.split('.');
  const groups = parts.map(Number);
  const fits = parts.every((part, index) => /^(?:0|[1-9]\d{0,2})$/.test(part) && (groups[index] ?? 256) < 256);
  return parts.length === 4 && fits ? { groups, width: 8 } : null;
}

/** Hosts of URLs are IPv6 addresses in one form (WHATWG URL §3.5), without an IPv4 tail. */
function parseV6(text: string): Address | null {
  if (!/^[0-9a-f:.]+$/i.test(text)) return null;
  const host = hostOf(text);
  if (host === null) return null;
  const [head = '', tail] = host.split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  return { groups: [...before, ...Array.from({ length: zeros }, () => 0), ...after], width: 16 };
}

function hostOf(address: string): string | null {
  const url = `http://[${address}]/`;
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : null;
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

function format({ groups, width }: Address): string {
  if (width === 8) return groups.join('.');
  const text = groups.map((group) => group.toString(16)).join(':');
  return hostOf(text) ?? text;
}
