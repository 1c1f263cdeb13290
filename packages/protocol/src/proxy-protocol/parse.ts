import { isIPv4, isIPv6 } from 'node:net';
import { addressText } from './address.ts';
import type { ProxyAddress, ProxyPreamble } from './types.ts';
import { FAMILY_TCP4, FAMILY_TCP6, SIGNATURE_V2, VERSION_2_LOCAL, VERSION_2_PROXY } from './wire.ts';

/** The longest line of version 1, its CRLF included. */
const LONGEST_V1 = 107;
const FIXED_V2 = 16;
/** Addresses and type-length-value fields of version 2; balancers send some hundred bytes. */
const LONGEST_V2 = 4096;
const START_V1 = Buffer.from('PROXY ');

export type ProxyPreambleResult =
  | { readonly kind: 'more' }
  /** `used` bytes of the last chunk belong to the header; the rest is the connection's. */
  | { readonly kind: 'done'; readonly preamble: ProxyPreamble; readonly used: number }
  /** The connection cannot be trusted to say who is behind it: close it. */
  | { readonly kind: 'invalid'; readonly reason: string };

/**
 * Reads the header at the start of a connection from a trusted balancer, either version, however the bytes are split.
 * Strict: a connection without a header, or with a wrong one, is refused, since guessing would let visitors choose
 * their address. Holds at most about 4 KiB.
 */
export class ProxyPreambleParser {
  #held: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): ProxyPreambleResult {
    const before = this.#held.length;
    const bytes = before === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const result = parse(bytes);
    if (result.kind === 'done') return { ...result, used: result.used - before };
    if (result.kind === 'more') this.#held = before === 0 ? Buffer.from(chunk) : bytes;
    return result;
  }
}

function parse(bytes: Buffer): ProxyPreambleResult {
  if (startsLike(bytes, SIGNATURE_V2)) return bytes.length < FIXED_V2 ? MORE : parseV2(bytes);
  if (startsLike(bytes, START_V1)) return bytes.length < START_V1.length ? MORE : parseV1(bytes);
  return invalid('it does not begin with a PROXY header');
}

function parseV1(bytes: Buffer): ProxyPreambleResult {
  const end = bytes.subarray(0, LONGEST_V1).indexOf('\r\n');
  if (end === -1) {
    return bytes.length < LONGEST_V1 ? MORE : invalid(`its header is longer than ${LONGEST_V1} bytes`);
  }
  const used = end + 2;
  const words = bytes.toString('latin1', 0, end).split(' ');
  const [, family, from = '', to = '', fromPort = '', toPort = ''] = words;
  if (family === 'UNKNOWN') return { kind: 'done', used, preamble: { version: 1 } };
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? plainIPv6 : undefined;
  if (isAddress === undefined) return invalid('its header has an unknown family');
  if (words.length !== 6) return invalid('its header does not have six words');
  if (!isAddress(from) || !isAddress(to)) return invalid('its header has an address of the wrong form');
  if (!isPort(fromPort) || !isPort(toPort)) return invalid('its header has a port of the wrong form');
  const source = { address: from, port: Number(fromPort) };
  const destination = { address: to, port: Number(toPort) };
  return { kind: 'done', used, preamble: { version: 1, source, destination } };
}

function parseV2(bytes: Buffer): ProxyPreambleResult {
  const command = bytes.readUInt8(12);
  const family = bytes.readUInt8(13);
  const length = bytes.readUInt16BE(14);
  if (command !== VERSION_2_LOCAL && command !== VERSION_2_PROXY) {
    return invalid('its header has an unknown version or command');
  }
  if (length > LONGEST_V2) return invalid(`its header is longer than ${LONGEST_V2} bytes`);
  const used = FIXED_V2 + length;
  const size = family === FAMILY_TCP4 ? 4 : family === FAMILY_TCP6 ? 16 : 0;
  if (command === VERSION_2_PROXY && size > 0 && length < 2 * size + 4) {
    return invalid('its header is too short for its addresses');
  }
  if (bytes.length < used) return MORE;
  // Receivers must accept families that they do not know, and use the socket's addresses.
  if (command === VERSION_2_LOCAL || size === 0) return { kind: 'done', used, preamble: { version: 2 } };
  const source = endV2(bytes, FIXED_V2, size, FIXED_V2 + 2 * size);
  const destination = endV2(bytes, FIXED_V2 + size, size, FIXED_V2 + 2 * size + 2);
  return { kind: 'done', used, preamble: { version: 2, source, destination } };
}

function endV2(bytes: Buffer, at: number, size: number, portAt: number): ProxyAddress {
  return { address: addressText(bytes.subarray(at, at + size)), port: bytes.readUInt16BE(portAt) };
}

function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

function isPort(text: string): boolean {
  return /^(0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65_535;
}

function plainIPv6(address: string): boolean {
  return isIPv6(address) && !address.includes('%');
}

const MORE: ProxyPreambleResult = { kind: 'more' };

function invalid(reason: string): ProxyPreambleResult {
  return { kind: 'invalid', reason };
}
