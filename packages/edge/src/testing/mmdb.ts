/** Writes databases in MaxMind's format (version 2.0), for tests: a tree of bits, records of 24 bits, plain data. */
import { parseCidr } from '@postern/policy';

export type MmdbValue = string | number | boolean | readonly MmdbValue[] | { readonly [name: string]: MmdbValue };

interface Node {
  left: Node | number | null;
  right: Node | number | null;
}

const TYPES = { string: 2, double: 3, map: 7, uint32: 6, boolean: 14, array: 11 } as const;

/** @param ranges without one inside another */
export function mmdb(type: string, ranges: Readonly<Record<string, MmdbValue>>): Buffer {
  const root: Node = { left: null, right: null };
  const data: Buffer[] = [];
  let size = 0;
  for (const [range, value] of Object.entries(ranges)) {
    put(root, bitsOf(range), size);
    const bytes = encode(value);
    data.push(bytes);
    size += bytes.length;
  }
  const nodes = numbered(root);
  const index = new Map(nodes.map((node, at) => [node, at]));
  const tree = Buffer.alloc(nodes.length * 6);
  for (const [at, { left, right }] of nodes.entries()) {
    tree.writeUIntBE(recordOf(left, index), at * 6, 3);
    tree.writeUIntBE(recordOf(right, index), at * 6 + 3, 3);
  }
  const metadata = encode({
    node_count: nodes.length,
    record_size: 24,
    ip_version: 6,
    database_type: type,
    languages: ['en'],
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_700_000_000,
    description: { en: 'for tests' },
  });
  const mark = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
  return Buffer.concat([tree, Buffer.alloc(16), ...data, mark, metadata]);
}

/** A child: a node, where the data begins, or nothing. */
function recordOf(child: Node['left'], index: ReadonlyMap<Node, number>): number {
  const count = index.size;
  if (child === null) return count;
  return typeof child === 'number' ? count + 16 + child : (index.get(child) ?? count);
}

/** IPv4 is in the first 2^32 addresses of IPv6. */
function bitsOf(range: string): string {
  const cidr = parseCidr(range);
  if (cidr === null) throw new Error(`${range} is no range`);
  const first = BigInt(cidr.first);
  const count = (BigInt(cidr.last) - first + 1n).toString(2).length - 1;
  return first
    .toString(2)
    .padStart(128, '0')
    .slice(0, 128 - count);
}

function put(root: Node, bits: string, offset: number): void {
  let node = root;
  for (let at = 0; at < bits.length; at++) {
    const side = bits[at] === '0' ? 'left' : 'right';
    if (at === bits.length - 1) node[side] = offset;
    else {
      const next = node[side];
      if (typeof next === 'number') throw new Error('one range is inside another');
      node = node[side] = next ?? { left: null, right: null };
    }
  }
}

function numbered(root: Node): Node[] {
  const nodes: Node[] = [root];
  for (const { left, right } of nodes) {
    if (left !== null && typeof left !== 'number') nodes.push(left);
    if (right !== null && typeof right !== 'number') nodes.push(right);
  }
  return nodes;
}

function encode(value: MmdbValue): Buffer {
  if (typeof value === 'string') {
    const bytes = Buffer.from(value);
    return Buffer.concat([control(TYPES.string, bytes.length), bytes]);
  }
  if (typeof value === 'boolean') return control(TYPES.boolean, value ? 1 : 0);
  if (typeof value === 'number') {
    const whole = Number.isInteger(value) && value >= 0;
    const bytes = Buffer.alloc(whole ? 4 : 8);
    if (whole) bytes.writeUInt32BE(value);
    else bytes.writeDoubleBE(value);
    return Buffer.concat([control(whole ? TYPES.uint32 : TYPES.double, bytes.length), bytes]);
  }
  if (Array.isArray(value)) return Buffer.concat([control(TYPES.array, value.length), ...value.map(encode)]);
  const entries = Object.entries(value);
  return Buffer.concat([control(TYPES.map, entries.length), ...entries.flatMap(([k, v]) => [encode(k), encode(v)])]);
}

/** Types above 7 have a byte of their own; sizes above 28 as well. */
function control(type: number, size: number): Buffer {
  const short = size < 29 ? size : size < 285 ? 29 : 30;
  const more = size < 29 ? [] : size < 285 ? [size - 29] : [(size - 285) >> 8, (size - 285) & 0xff];
  return Buffer.from(type > 7 ? [short, type - 7, ...more] : [(type << 5) | short, ...more]);
}
