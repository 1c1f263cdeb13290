/**
 * What the authority of this installation may vouch for, as a constraint in its own certificate (RFC 5280 §4.2.1.10):
 * whoever trusts `ca.pem` trusts it for these names and no others, even should its key be lost.
 */
import { isIP, isIPv6 } from 'node:net';

export interface CaScope {
  /** Lower-case names, each with everything below it; null = any name. */
  readonly names: readonly string[] | null;
  /** IP addresses under which agents dial, beside loopback. */
  readonly addresses: readonly string[];
}

const NAME_CONSTRAINTS = '2.5.29.30';
/** 127.0.0.0/8 and ::1, which never leave the machine. */
const LOOPBACK = [Buffer.from([127, 0, 0, 0, 255, 0, 0, 0]), Buffer.concat([v6('::1'), Buffer.alloc(16, 0xff)])];

export function caScope(parts: {
  readonly baseDomains: readonly string[];
  readonly agentNames: readonly string[];
  /** What the operator adds; `*` = any name. */
  readonly more: readonly string[];
}): CaScope {
  const { baseDomains, agentNames, more } = parts;
  const addresses = agentNames.filter((name) => isIP(name) !== 0 && !isLoopback(name));
  if (more.includes('*')) return { names: null, addresses };
  const names = [...baseDomains, ...agentNames.filter((name) => isIP(name) === 0), ...more];
  const top = names.filter((name) => !names.some((other) => name.endsWith(`.${other}`)));
  return { names: [...new Set(top)].toSorted(), addresses: addresses.toSorted() };
}

/** Whether a leaf for the name (also a wildcard) would be believed. */
export function isInScope({ names, addresses }: CaScope, name: string): boolean {
  if (names === null) return true;
  if (isIP(name) !== 0) return addresses.includes(name) || isLoopback(name);
  const bare = name.startsWith('*.') ? name.slice(2) : name;
  return names.some((one) => bare === one || bare.endsWith(`.${one}`));
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

/** OID and DER of the extension, which is critical; null where any name is allowed. */
export function nameConstraints({ names, addresses }: CaScope): { readonly oid: string; readonly der: Buffer } | null {
  if (names === null) return null;
  const subtrees = [
    ...names.map((name) => tagged(0x82, Buffer.from(name, 'ascii'))),
    ...[...LOOPBACK, ...addresses.map(wholeAddress)].map((range) => tagged(0x87, range)),
  ].map((base) => tagged(0x30, base));
  return { oid: NAME_CONSTRAINTS, der: tagged(0x30, tagged(0xa0, ...subtrees)) };
}

/** One address and a mask of ones. */
function wholeAddress(address: string): Buffer {
  const bytes = isIPv6(address) ? v6(address) : Buffer.from(address.split('.').map(Number));
  return Buffer.concat([bytes, Buffer.alloc(bytes.length, 0xff)]);
}

function v6(address: string): Buffer {
  // The URL parser writes every form as hexadecimal groups with at most one "::".
  const text = new URL(`http://[${address.split('%', 1)[0] ?? ''}]`).hostname.slice(1, -1);
  const [head = '', tail] = text.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((one) => Number.parseInt(one, 16));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** DER: tag, length, contents (X.690 §8.1). */
function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
