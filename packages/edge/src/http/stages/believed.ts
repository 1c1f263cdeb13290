/**
 * What a believed proxy (`--trusted-proxies`) says of the visitor behind it, for one request: its connection carries the
 * requests of many. Of X-Forwarded-For the rightmost address counts that is no believed proxy itself, since whatever is
 * left of it the visitor may have written; of X-Forwarded-Proto the entry at the same place, or the leftmost.
 */
import type { ConnView, TlsView } from '@postern/policy';
import type { RawFields } from '@postern/protocol';
import { isIP } from 'node:net';
import type { CidrList } from '../../connection/cidr-list.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { isNamed } from '../exchange/fields.ts';

/** Sets `conn` and `scheme` of the exchange, where its peer is believed. */
export function believeProxy(exchange: Exchange, proxies: CidrList): void {
  const { connection } = exchange.requester;
  if (!connection.fromTrustedProxy) return;
  const addresses = listOf(exchange.request.fields, 'x-forwarded-for');
  let place = 0;
  let client = '';
  for (const text of addresses.toReversed()) {
    const address = addressOf(text);
    if (address === null) break;
    client = address;
    place++;
    if (!proxies.has(address)) break;
  }
  if (client !== '' && client !== connection.conn.clientIp) exchange.conn = new BelievedConn(connection.conn, client);
  const schemes = listOf(exchange.request.fields, 'x-forwarded-proto');
  const scheme = (schemes.at(-Math.max(place, 1)) ?? schemes[0])?.toLowerCase();
  if (scheme === 'http' || scheme === 'https') exchange.request.scheme = scheme;
}

/** Elements of every line of a list field, in order. */
function listOf(fields: RawFields, name: string): string[] {
  const elements: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    if (!isNamed(fields[at] ?? '', name)) continue;
    for (const element of (fields[at + 1] ?? '').split(',')) if (element.trim() !== '') elements.push(element.trim());
  }
  return elements;
}

/** `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80` → the address; null for anything else. */
function addressOf(text: string): string | null {
  const bracket = text.startsWith('[') ? text.slice(1, text.indexOf(']')) : text;
  const plain = isIP(bracket) === 0 && bracket === text ? text.slice(0, text.indexOf(':')) : bracket;
  const address = plain.startsWith('::ffff:') && plain.includes('.') ? plain.slice(7) : plain;
  return isIP(address) === 0 ? null : address.toLowerCase();
}

class BelievedConn implements ConnView {
  readonly clientIp: string;
  /** Nobody says. */
  readonly clientPort = 0;
  private readonly conn: ConnView;

  constructor(conn: ConnView, clientIp: string) {
    this.conn = conn;
    this.clientIp = clientIp;
  }

  get serverIp(): string {
    return this.conn.serverIp;
  }

  get serverPort(): number {
    return this.conn.serverPort;
  }

  get serverRegion(): string {
    return this.conn.serverRegion;
  }

  get startedAt(): number {
    return this.conn.startedAt;
  }

  get bytesIn(): number {
    return this.conn.bytesIn;
  }

  get bytesOut(): number {
    return this.conn.bytesOut;
  }

  get tls(): TlsView | null {
    return this.conn.tls;
  }
}
