/**
 * Reads a TLS ClientHello (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2) from bytes as they arrive, without consuming them: only
 * what routing needs is taken out, and only what is certain to be a ClientHello is accepted.
 */

import { ja4Of, type HelloOffer } from './ja4.ts';

export interface ClientHello {
  /** Lower-case SNI host name; '' when the client names none (RFC 6066 §3). */
  readonly serverName: string;
  /** Protocols the client offers by ALPN, in its order (RFC 7301 §3.1). */
  readonly alpn: readonly string[];
  /** Computed anew with each call. */
  ja4(): string;
}

export type HelloResult =
  | { readonly kind: 'more' }
  | { readonly kind: 'hello'; readonly hello: ClientHello }
  /** The first bytes are an HTTP request in the clear. */
  | { readonly kind: 'http' }
  | { readonly kind: 'invalid'; readonly reason: string };

const RECORD_HEADER = 5;
const HANDSHAKE_HEADER = 4;
const CONTENT_HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const MAX_RECORD = 16_384;
/** A ClientHello larger than this is nobody's (post-quantum key shares take about 2 KiB). */
const MAX_HELLO = 65_536;

const MORE: HelloResult = { kind: 'more' };

/** One per connection; fed until it answers something else than `more`. */
export class ClientHelloReader {
  /** Handshake bytes, record framing removed. */
  #message = Buffer.alloc(0);
  #filled = 0;
  readonly #header = Buffer.alloc(RECORD_HEADER);
  #headerFilled = 0;
  /** Bytes of the current record still to come. */
  #recordLeft = 0;
  #seen = 0;

  push(chunk: Buffer): HelloResult {
    let at = 0;
    if (this.#seen === 0 && chunk.length > 0 && isHttpStart(chunk)) return { kind: 'http' };
    this.#seen += chunk.length;
    while (at < chunk.length) {
      if (this.#recordLeft === 0) {
        const taken = Math.min(RECORD_HEADER - this.#headerFilled, chunk.length - at);
        chunk.copy(this.#header, this.#headerFilled, at, at + taken);
        this.#headerFilled += taken;
        at += taken;
        const problem = this.#checkHeader();
        if (problem !== '') return { kind: 'invalid', reason: problem };
        if (this.#headerFilled < RECORD_HEADER) return MORE;
        this.#recordLeft = this.#header.readUInt16BE(3);
        this.#headerFilled = 0;
      }
      const taken = Math.min(this.#recordLeft, chunk.length - at);
      this.#append(chunk, at, at + taken);
      this.#recordLeft -= taken;
      at += taken;
      const result = this.#check();
      if (result !== MORE) return result;
    }
    return MORE;
  }

  #checkHeader(): string {
    const [type, major] = this.#header;
    if (this.#headerFilled >= 1 && type !== CONTENT_HANDSHAKE) return 'the first record is not a handshake';
    if (this.#headerFilled >= 2 && major !== 3) return 'unknown record version';
    if (this.#headerFilled < RECORD_HEADER) return '';
    const length = this.#header.readUInt16BE(3);
    if (length === 0) return 'empty handshake record';
    return length > MAX_RECORD ? 'record too long' : '';
  }

  #append(chunk: Buffer, start: number, end: number): void {
    const needed = this.#filled + end - start;
    if (needed > this.#message.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#message.length * 2, 1024));
      this.#message.copy(grown, 0, 0, this.#filled);
      this.#message = grown;
    }
    chunk.copy(this.#message, this.#filled, start, end);
    this.#filled = needed;
  }

  #check(): HelloResult {
    if (this.#filled >= 1 && this.#message[0] !== CLIENT_HELLO)
      return { kind: 'invalid', reason: 'the first handshake message is not a ClientHello' };
    if (this.#filled < HANDSHAKE_HEADER) return MORE;
    const end = HANDSHAKE_HEADER + this.#message.readUIntBE(1, 3);
    if (end > MAX_HELLO) return { kind: 'invalid', reason: 'ClientHello too long' };
    if (this.#filled < end) return MORE;
    if (this.#filled > end) return { kind: 'invalid', reason: 'bytes behind the ClientHello in its record' };
    try {
      return { kind: 'hello', hello: parseClientHello(this.#message.subarray(HANDSHAKE_HEADER, end)) };
    } catch (error) {
      if (error instanceof BadHello) return { kind: 'invalid', reason: error.message };
      throw error;
    }
  }
}

class BadHello extends Error {}

/** Reads length-prefixed vectors; every one has to fit its parent exactly. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  take(length: number): Buffer {
    if (length > this.left) throw new BadHello('a field is longer than what holds it');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  number(bytes: 1 | 2): number {
    return this.take(bytes).readUIntBE(0, bytes);
  }

  vector(lengthBytes: 1 | 2): Buffer {
    return this.take(this.number(lengthBytes));
  }

  finish(what: string): void {
    if (this.left > 0) throw new BadHello(`bytes behind ${what}`);
  }
}

/** What is offered, as it came: strings of bytes are the least that keeps it, and few ask what it comes to. */
interface Offered extends Pick<HelloOffer, 'legacyVersion' | 'extensions' | 'named'> {
  readonly versions: string;
  readonly ciphers: string;
  readonly signatureAlgorithms: string;
}

class ParsedHello implements ClientHello {
  readonly serverName: string;
  readonly alpn: readonly string[];
  readonly #offered: Offered;

  constructor(alpn: readonly string[], serverName: string, offered: Offered) {
    this.serverName = serverName;
    this.alpn = alpn;
    this.#offered = offered;
  }

  ja4(): string {
    const { versions, ciphers, signatureAlgorithms } = this.#offered;
    return ja4Of({
      ...this.#offered,
      versions: numbersIn(versions),
      ciphers: numbersIn(ciphers),
      signatureAlgorithms: numbersIn(signatureAlgorithms),
      protocol: this.alpn[0] ?? '',
    });
  }
}

function parseClientHello(body: Buffer): ClientHello {
  const cursor = new Cursor(body);
  const legacyVersion = cursor.number(2);
  if (legacyVersion >> 8 !== 3) throw new BadHello('unknown protocol version');
  cursor.take(32);
  if (cursor.vector(1).length > 32) throw new BadHello('session id too long');
  const ciphers = cursor.vector(2);
  if (ciphers.length === 0 || ciphers.length % 2 !== 0) throw new BadHello('bad cipher suites');
  if (cursor.vector(1).length === 0) throw new BadHello('no compression method');
  let serverName: string | undefined;
  let alpn: string[] | undefined;
  const types: number[] = [];
  let versions = '';
  let signatureAlgorithms = '';
  if (cursor.left > 0) {
    const extensions = new Cursor(cursor.vector(2));
    while (extensions.left > 0) {
      const type = extensions.number(2);
      const value = extensions.vector(2);
      types.push(type);
      if (type === 0) {
        if (serverName !== undefined) throw new BadHello('server_name given twice');
        serverName = parseServerName(value);
      } else if (type === 16) {
        if (alpn !== undefined) throw new BadHello('ALPN given twice');
        alpn = parseAlpn(value);
      } else if (type === 13) signatureAlgorithms = value.toString('latin1', 2);
      else if (type === 43) versions = value.toString('latin1', 1);
    }
  }
  cursor.finish('the extensions');
  return new ParsedHello(alpn ?? [], serverName ?? '', {
    legacyVersion,
    versions,
    ciphers: ciphers.toString('latin1'),
    extensions: types,
    signatureAlgorithms,
    named: serverName !== undefined,
  });
}

/** Pairs of bytes; whether the handshake takes them is for TLS to say. */
function numbersIn(bytes: string): number[] {
  const numbers: number[] = [];
  for (let at = 0; at + 2 <= bytes.length; at += 2)
    numbers.push((bytes.charCodeAt(at) << 8) | bytes.charCodeAt(at + 1));
  return numbers;
}

function parseServerName(value: Buffer): string {
  const outer = new Cursor(value);
  const list = new Cursor(outer.vector(2));
  outer.finish('server_name');
  if (list.number(1) !== 0) throw new BadHello('unknown server name type');
  const name = list.vector(2);
  list.finish('the server name');
  if (!isHostName(name)) throw new BadHello('the server name is not a host name');
  return name.toString('latin1').toLowerCase();
}

function parseAlpn(value: Buffer): string[] {
  const outer = new Cursor(value);
  const list = new Cursor(outer.vector(2));
  outer.finish('ALPN');
  const protocols: string[] = [];
  while (list.left > 0) {
    const name = list.vector(1);
    if (name.length === 0) throw new BadHello('empty ALPN protocol');
    protocols.push(name.toString('latin1'));
  }
  if (protocols.length === 0) throw new BadHello('empty ALPN list');
  return protocols;
}

/** Letters, digits, `-`, `_` and `.`; 1 to 255 bytes; no empty label. */
function isHostName(name: Buffer): boolean {
  return name.length > 0 && name.length <= 255 && /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i.test(name.toString('latin1'));
}

/** Every HTTP method starts with an upper-case letter; a TLS record never does. */
export function isHttpStart(chunk: Buffer): boolean {
  const first = chunk[0] ?? 0;
  return first >= 0x41 && first <= 0x5a;
}

/** Whether the bytes start a TLS handshake record. */
export function isTlsStart(chunk: Buffer): boolean {
  return chunk[0] === CONTENT_HANDSHAKE && (chunk.length < 2 || chunk[1] === 3);
}
