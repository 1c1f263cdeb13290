/**
 * A name server for the records that show control of names, and for nothing else: `_acme-challenge.<base domain>` and what
 * lies below it. It asks nobody, and what it answers by UDP is never larger than three times what it was asked, so that it
 * is of no use against others; whoever needs more is told to come by TCP.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { DnsWay } from '../types.ts';
import { type Answer, CODE, type Question, readQuestion, TYPE, writeAnswer } from './packet.ts';

/** Answered in a second; the rest is dropped, as any lost packet is. */
const MOST_A_SECOND = 2_000;
const MOST_CONNECTIONS = 64;
const CONNECTION_MS = 5_000;
const MOST_QUESTION = 512;
const MOST_GAIN = 3;
/** Of one name: base name and wildcard, of orders that overlap. */
const MOST_TEXTS = 16;

export interface DnsAddress {
  readonly host: string;
  readonly port: number;
}

export class DnsAnswerer implements DnsWay {
  readonly title = 'the name server of this server (--dns-listen)';
  readonly delegated = true;
  /** `_acme-challenge.<base domain>`, which NS records lead here. */
  readonly #zones: readonly string[];
  readonly #now: () => number;
  readonly #texts = new Map<string, readonly string[]>();
  readonly #sockets: UdpSocket[] = [];
  readonly #servers: Server[] = [];
  readonly #open = new Set<Socket>();
  #second = 0;
  #answered = 0;

  constructor(zones: readonly string[], now: () => number) {
    this.#zones = zones;
    this.#now = now;
  }

  /** @throws what the system says of an address that cannot be had */
  async listen(addresses: readonly DnsAddress[]): Promise<void> {
    for (const { host, port } of addresses) {
      /* oxlint-disable no-await-in-loop -- the port of UDP is that of TCP */
      const server = createServer((socket) => this.#serve(socket));
      this.#servers.push(server);
      server.maxConnections = MOST_CONNECTIONS;
      server.listen(port, host);
      await once(server, 'listening');
      const address = server.address();
      const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', ipv6Only: host.includes(':') });
      this.#sockets.push(socket);
      socket.on('message', (message, from) => this.#datagram(socket, message, from));
      socket.bind(typeof address === 'object' && address !== null ? address.port : port, host);
      await once(socket, 'listening');
      socket.on('error', () => {});
      /* oxlint-enable no-await-in-loop */
    }
  }

  close(): void {
    for (const socket of this.#sockets.splice(0)) socket.close();
    for (const server of this.#servers.splice(0)) server.close();
    for (const socket of this.#open) socket.destroy();
  }

  present(name: string, value: string): Promise<void> {
    this.#texts.set(name, [...(this.#texts.get(name) ?? []), value].slice(-MOST_TEXTS));
    return Promise.resolve();
  }

  cleanup(name: string, value: string): Promise<void> {
    const left = (this.#texts.get(name) ?? []).filter((text) => text !== value);
    if (left.length === 0) this.#texts.delete(name);
    else this.#texts.set(name, left);
    return Promise.resolve();
  }

  #datagram(socket: UdpSocket, message: Buffer, from: { readonly address: string; readonly port: number }): void {
    if (message.length > MOST_QUESTION || !this.#mayAnswer()) return;
    const question = readQuestion(message);
    if (question === null) return;
    const whole = writeAnswer(question, this.#answer(question));
    const most = Math.min(Math.max(question.edns, 512), message.length * MOST_GAIN);
    const bytes =
      whole.length <= most
        ? whole
        : writeAnswer(question, { code: CODE.ok, texts: [], soa: null, ns: null, truncated: true });
    socket.send(bytes, from.port, from.address, () => {});
  }

  #mayAnswer(): boolean {
    const second = Math.floor(this.#now() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#answered = 0;
    }
    this.#answered += 1;
    return this.#answered <= MOST_A_SECOND;
  }

  /** Messages by TCP have their length in front (RFC 1035 §4.2.2). */
  #serve(socket: Socket): void {
    this.#open.add(socket);
    const end = setTimeout(() => socket.destroy(), CONNECTION_MS);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(end);
      this.#open.delete(socket);
    });
    let kept: Buffer = Buffer.alloc(0);
    socket.on('data', (part: Buffer) => {
      const left = this.#read(socket, Buffer.concat([kept, part]));
      if (left === null) socket.destroy();
      else kept = left;
    });
  }

  /** Answers the whole questions. @returns what is left; null = what came is none, or the answers are not read */
  #read(socket: Socket, bytes: Buffer): Buffer | null {
    let left = bytes;
    while (left.length >= 2) {
      const length = left.readUInt16BE(0);
      if (length > MOST_QUESTION) return null;
      if (left.length < 2 + length) break;
      const question = readQuestion(left.subarray(2, 2 + length));
      left = left.subarray(2 + length);
      if (question === null || !this.#mayAnswer()) return null;
      const answer = writeAnswer(question, this.#answer(question));
      const size = Buffer.alloc(2);
      size.writeUInt16BE(answer.length, 0);
      if (!socket.write(Buffer.concat([size, answer]))) return null;
    }
    return left;
  }

  #answer({ name, type }: Question): Answer {
    const none: Answer = { code: CODE.ok, texts: [], soa: null, ns: null, truncated: false };
    const zone = this.#zones.find((one) => name === one || name.endsWith(`.${one}`));
    if (zone === undefined) return { ...none, code: CODE.refused };
    const host = zone.slice(zone.indexOf('.') + 1);
    if (name === zone && type === TYPE.NS) return { ...none, ns: host };
    const texts = this.#texts.get(name) ?? [];
    if (type === TYPE.TXT && texts.length > 0) return { ...none, texts };
    const exists = name === zone || texts.length > 0;
    return { ...none, code: exists ? CODE.ok : CODE.noSuchName, soa: { zone, host } };
  }
}
