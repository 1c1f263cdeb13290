import { isIPv4, isIPv6 } from 'node:net';
import { addressBytes } from './address.ts';
import type { ProxyAddress } from './types.ts';
import { FAMILY_TCP4, FAMILY_TCP6, SIGNATURE_V2, VERSION_2_LOCAL, VERSION_2_PROXY } from './wire.ts';

/**
 * The header that precedes the bytes of a connection, for an upstream that asked for it (agent-protocol.md §7.1).
 * Addresses of different families are written as IPv6 (an IPv4 one mapped); what is no IP address at all becomes the
 * form that says "unknown".
 */
export function writeProxyPreamble(version: 1 | 2, source: ProxyAddress, destination: ProxyAddress): Buffer {
  return version === 1 ? writeV1(source, destination) : writeV2(source, destination);
}

function writeV1(source: ProxyAddress, destination: ProxyAddress): Buffer {
  const family = commonFamily(source, destination);
  if (family === undefined) return Buffer.from('PROXY UNKNOWN\r\n');
  const [from, to] = [source, destination].map((end) =>
    family === 4 || isIPv6(end.address) ? end.address : mapped(end),
  );
  return Buffer.from(`PROXY TCP${family} ${from} ${to} ${source.port} ${destination.port}\r\n`);
}

function writeV2(source: ProxyAddress, destination: ProxyAddress): Buffer {
  const family = commonFamily(source, destination);
  if (family === undefined) return Buffer.from([...SIGNATURE_V2, VERSION_2_LOCAL, 0, 0, 0]);
  const size = family === 4 ? 4 : 16;
  const header = Buffer.alloc(16 + 2 * size + 4);
  SIGNATURE_V2.copy(header);
  header[12] = VERSION_2_PROXY;
  header[13] = family === 4 ? FAMILY_TCP4 : FAMILY_TCP6;
  header.writeUInt16BE(2 * size + 4, 14);
  addressBytes(source.address, size).copy(header, 16);
  addressBytes(destination.address, size).copy(header, 16 + size);
  header.writeUInt16BE(source.port, 16 + 2 * size);
  header.writeUInt16BE(destination.port, 18 + 2 * size);
  return header;
}

function commonFamily(source: ProxyAddress, destination: ProxyAddress): 4 | 6 | undefined {
  if (isIPv4(source.address) && isIPv4(destination.address)) return 4;
  const both = [source, destination].every((end) => isIPv4(end.address) || plainIPv6(end.address));
  return both ? 6 : undefined;
}

/** An IPv6 address without a zone, which would mean nothing elsewhere. */
function plainIPv6(address: string): boolean {
  return isIPv6(address) && !address.includes('%');
}

function mapped(end: ProxyAddress): string {
  return `::ffff:${end.address}`;
}
