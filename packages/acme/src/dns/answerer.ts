/**
 * A name server for the records that show control of names, and for nothing else: `_acme-challenge.<base domain>` and what
 * lies below it. It asks nobody, and what it answers by UDP is never larger than three times what it was asked, nor larger
 * at all for networks that ask much, so that it is of no use against others; whoever needs more is told to come by TCP.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { DnsWay } from '../types.ts';
import { ReplyRate } from './reply-rate.ts';
import { MOST_QUESTION, Zone } from './zone.ts';

const MOST_CONNECTIONS = 64;
const CONNECTION_MS = 5_000;
const MOST_GAIN = 3;

export interface DnsAddress {
  readonly host: string;
  readonly port: number;
}

export class DnsAnswerer implements DnsWay {
  readonly title = 'the name server of this server (--dns-listen)';
  readonly delegated = true;
  readonly #zone: Zone;
  readonly #now: () => number;
  readonly #datagrams = new ReplyRate();
  /** By TCP, whose senders are who they say: no flood of datagrams takes its share. */
  readonly #questions = new ReplyRate();
  readonly #sockets: UdpSocket[] = [];
  readonly #servers: Server[] = [];
  /** Oldest first. */
  readonly #open = new Set<Socket>();

  /** @param zones `_acme-challenge.<base domain>`, which NS records lead here */
  constructor(zones: readonly string[], now: () => number) {
    this.#zone = new Zone(zones);
    this.#now = now;
  }

  /** @throws what the system says of an address that cannot be had */
  async listen(addresses: readonly DnsAddress[]): Promise<void> {
    for (const { host, port } of addresses) {
      /* oxlint-disable no-await-in-loop -- the port of UDP is that of TCP */
      const server = createServer((socket) => this.#serve(socket));
      this.#servers.push(server);
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
    this.#zone.add(name, value);
    return Promise.resolve();
  }

  cleanup(name: string, value: string): Promise<void> {
    this.#zone.remove(name, value);
    return Promise.resolve();
  }

  #datagram(socket: UdpSocket, message: Buffer, from: { readonly address: string; readonly port: number }): void {
    if (message.length > MOST_QUESTION || !this.#datagrams.mayAnswer(this.#now())) return;
    const bytes = this.#zone.reply(message, this.#datagrams.mayGain(from.address) ? MOST_GAIN : 1);
    if (bytes !== null) socket.send(bytes, from.port, from.address, () => {});
  }

  /** Messages by TCP have their length in front (RFC 1035 §4.2.2). */
  #serve(socket: Socket): void {
    // Whoever holds connections open without asking gives way to who comes to ask.
    const [oldest] = this.#open;
    if (oldest !== undefined && this.#open.size >= MOST_CONNECTIONS) {
      oldest.destroy();
      this.#open.delete(oldest);
    }
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
      const answer = this.#questions.mayAnswer(this.#now())
        ? this.#zone.reply(left.subarray(2, 2 + length), null)
        : null;
      left = left.subarray(2 + length);
      if (answer === null) return null;
      const size = Buffer.alloc(2);
      size.writeUInt16BE(answer.length, 0);
      if (!socket.write(Buffer.concat([size, answer]))) return null;
    }
    return left;
  }
}
