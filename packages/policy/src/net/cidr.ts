/**
 * IP ranges: parsing, and sets of them that answer "which range has this address?" by binary search. Browser-safe.
 */
import ipaddr from 'ipaddr.js';

/** A number in [0, 2^32) for IPv4, in [0, 2^128) for IPv6. */
export interface Ip {
  readonly family: 4 | 6;
  readonly value: number | bigint;
}

export interface Cidr {
  readonly family: 4 | 6;
  readonly first: number | bigint;
  readonly last: number | bigint;
  /** As written. */
  readonly text: string;
}

/** Characters of the longest address with its zone; the library's patterns take squares of the length. */
const MAX_ADDRESS = 128;

/** Dotted IPv4 or IPv6 text, with or without zone; IPv4 inside IPv6 (`::ffff:…`) counts as IPv4. */
export function parseIp(text: string): Ip | null {
  if (text.length > MAX_ADDRESS) return null;
  const four = parseV4(text);
  if (four !== -1) return { family: 4, value: four };
  const zone = text.indexOf('%');
  const plain = zone === -1 ? text : text.slice(0, zone);
  if (!plain.includes(':') || !ipaddr.IPv6.isValid(plain)) return null;
  const address = ipaddr.IPv6.parse(plain);
  if (address.isIPv4MappedAddress()) return { family: 4, value: parseV4(address.toIPv4Address().toString()) };
  return { family: 6, value: v6Value(address) };
}

function v6Value(address: ipaddr.IPv6): bigint {
  let value = 0n;
  for (const part of address.parts) value = (value << 16n) | BigInt(part);
  return value;
}

/** What counts as one visitor where places are shared: an IPv4 address, the /64 of an IPv6 one. */
export function addressBlock(address: string): string {
  const ip = parseIp(address);
  return ip?.family === 6 ? `${BigInt(ip.value) >> 64n}/64` : address;
}

/** @returns -1 when the text is not four plain decimal numbers. */
function parseV4(text: string): number {
  let value = 0;
  let octet = -1;
  let dots = 0;
  if (text.length > 15) return -1;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c >= 48 && c <= 57) {
      // Leading zeros are read as octal by some, as decimal by others: refused.
      if (octet === 0) return -1;
      octet = (octet === -1 ? 0 : octet * 10) + c - 48;
      if (octet > 255) return -1;
    } else if (c === 46 && octet !== -1 && dots < 3) {
      value = value * 256 + octet;
      octet = -1;
      dots++;
    } else return -1;
  }
  return dots === 3 && octet !== -1 ? value * 256 + octet : -1;
}

/** `address/length`, or an address alone for just that one. Host bits may be set. */
export function parseCidr(text: string): Cidr | null {
  if (text.length > MAX_ADDRESS + 4) return null;
  const slash = text.indexOf('/');
  const ip = parseIp(slash === -1 ? text : text.slice(0, slash));
  if (ip === null || text.includes('%')) return null;
  const mapped = ip.family === 4 && text.includes(':');
  const width = ip.family === 4 && !mapped ? 32 : 128;
  const suffix = slash === -1 ? String(width) : text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(suffix) || Number(suffix) > width) return null;
  const length = mapped ? Number(suffix) - 96 : Number(suffix);
  // Wider than the mapped block: a range of IPv6, whatever its first address looks like.
  if (length < 0) return v6Range(v6Value(ipaddr.IPv6.parse(text.slice(0, slash))), Number(suffix), text);
  if (ip.family === 4) {
    const size = 2 ** (32 - length);
    const first = Number(ip.value) - (Number(ip.value) % size);
    return { family: 4, first, last: first + size - 1, text };
  }
  return v6Range(BigInt(ip.value), length, text);
}

function v6Range(address: bigint, length: number, text: string): Cidr {
  const size = 1n << BigInt(128 - length);
  const first = (address / size) * size;
  return { family: 6, first, last: first + size - 1n, text };
}

interface Segments {
  readonly starts: (number | bigint)[];
  readonly ends: (number | bigint)[];
  readonly texts: string[];
}

/** Ranges flattened into disjoint segments, each with the narrowest range that covers it. */
export class CidrSet {
  readonly #v4: Segments;
  readonly #v6: Segments;

  /** Texts that are not ranges are left out. */
  constructor(ranges: readonly string[]) {
    const parsed = ranges.map(parseCidr).filter((cidr) => cidr !== null);
    this.#v4 = flatten(parsed.filter((cidr) => cidr.family === 4));
    this.#v6 = flatten(parsed.filter((cidr) => cidr.family === 6));
  }

  get empty(): boolean {
    return this.#v4.starts.length === 0 && this.#v6.starts.length === 0;
  }

  /** @returns the narrowest range that has the address, as written, or null. */
  match(address: string): string | null {
    const ip = parseIp(address);
    if (ip === null) return null;
    const { starts, ends, texts } = ip.family === 4 ? this.#v4 : this.#v6;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const start = starts[middle];
      if (start !== undefined && start <= ip.value) low = middle + 1;
      else high = middle;
    }
    const end = ends[low - 1];
    return end !== undefined && ip.value <= end ? (texts[low - 1] ?? null) : null;
  }
}

/** Ranges are nested or apart, never half over each other: one sweep with a stack. */
function flatten(cidrs: Cidr[]): Segments {
  const sorted = cidrs.toSorted((a, b) => order(a.first, b.first) || order(b.last, a.last));
  const out: Segments = { starts: [], ends: [], texts: [] };
  const open: Cidr[] = [];
  let next: number | bigint | null = null;
  const emit = (until: number | bigint, text: string): void => {
    if (next === null || next > until) return;
    out.starts.push(next);
    out.ends.push(until);
    out.texts.push(text);
  };
  const close = (): void => {
    const top = open.pop();
    if (top === undefined) return;
    emit(top.last, top.text);
    next = after(top.last);
  };
  for (const cidr of sorted) {
    for (let top = open.at(-1); top !== undefined && top.last < cidr.first; top = open.at(-1)) close();
    const outer = open.at(-1);
    if (outer !== undefined && outer.first === cidr.first && outer.last === cidr.last) continue;
    if (outer !== undefined) emit(before(cidr.first), outer.text);
    next = cidr.first;
    open.push(cidr);
  }
  while (open.length > 0) close();
  return out;
}

function order(a: number | bigint, b: number | bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function after(value: number | bigint): number | bigint {
  return typeof value === 'bigint' ? value + 1n : value + 1;
}

function before(value: number | bigint): number | bigint {
  return typeof value === 'bigint' ? value - 1n : value - 1;
}
