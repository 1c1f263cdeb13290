/** One visitor's connection as policies, agents and logs see it. */
import type { Socket } from 'node:net';
import type { ConnView, TlsView } from '@postern/policy';
import type { ClientHello } from './client-hello.ts';

const NOT_MOVED = { bytesIn: 0, bytesOut: 0, moves: 0 };

export interface VisitorAddress {
  readonly ip: string;
  readonly port: number;
}

/** A connection that moves to another edge, between two requests. Plain data. */
export interface MovedVisitor {
  /** Where it came in, and its number among what edges count together. */
  readonly listener: string;
  readonly counted: number;
  readonly client: VisitorAddress;
  readonly server: VisitorAddress;
  readonly startedAt: number;
  readonly fromTrustedProxy: boolean;
  /** Since it came. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** How often it has moved, this time included. */
  readonly moves: number;
}

export class Visitor implements ConnView {
  readonly clientIp: string;
  readonly clientPort: number;
  readonly serverRegion: string;
  readonly startedAt: number;
  /** Peer of the TCP connection is a believed proxy. */
  readonly fromTrustedProxy: boolean;
  /** The TCP socket, whatever runs over it. */
  readonly socket: Socket;
  tls: TlsView | null = null;
  /** Its ClientHello, until the fingerprint has been asked for. */
  hello: Pick<ClientHello, 'ja4'> | null = null;
  #ja4 = '';
  #server: VisitorAddress | null;
  /** How often it has come from another edge, and what it had carried by then. */
  readonly moves: number;
  readonly #before: { readonly bytesIn: number; readonly bytesOut: number };

  constructor(
    socket: Socket,
    facts: {
      readonly client: VisitorAddress;
      /** null = where the socket was accepted. */
      readonly server: VisitorAddress | null;
      readonly region: string;
      readonly startedAt: number;
      readonly fromTrustedProxy: boolean;
    },
    moved: Pick<MovedVisitor, 'bytesIn' | 'bytesOut' | 'moves'> = NOT_MOVED,
  ) {
    this.socket = socket;
    this.clientIp = facts.client.ip;
    this.clientPort = facts.client.port;
    this.#server = facts.server;
    this.serverRegion = facts.region;
    this.startedAt = facts.startedAt;
    this.fromTrustedProxy = facts.fromTrustedProxy;
    this.moves = moved.moves;
    this.#before = moved;
  }

  get serverIp(): string {
    return this.#reached().ip;
  }

  get serverPort(): number {
    return this.#reached().port;
  }

  /** Few rules ask, and the answer is the system's. */
  #reached(): VisitorAddress {
    return (this.#server ??= { ip: plainIp(this.socket.localAddress), port: this.socket.localPort ?? 0 });
  }

  /** Fingerprint of its ClientHello; '' without one. */
  get ja4(): string {
    if (this.hello !== null) this.#ja4 = this.hello.ja4();
    this.hello = null;
    return this.#ja4;
  }

  get bytesIn(): number {
    return this.#before.bytesIn + this.socket.bytesRead;
  }

  get bytesOut(): number {
    return this.#before.bytesOut + this.socket.bytesWritten;
  }

  /** For the edge that it moves to. */
  facts(): Omit<MovedVisitor, 'listener' | 'counted'> {
    return {
      client: { ip: this.clientIp, port: this.clientPort },
      server: { ip: this.serverIp, port: this.serverPort },
      startedAt: this.startedAt,
      fromTrustedProxy: this.fromTrustedProxy,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      moves: this.moves + 1,
    };
  }

  /** "ip:port", "[v6]:port", as proxy headers carry it (agent-protocol.md §6). */
  get clientAddr(): string {
    return hostPort(this.clientIp, this.clientPort);
  }
}

export function hostPort(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** IPv4 addresses seen through an IPv6 socket lose their prefix. */
export function plainIp(address: string | undefined): string {
  if (address === undefined) return '0.0.0.0';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** The TLS facts that the ClientHello gives, before the handshake. */
export function helloView(serverName: string, visitor: Pick<Visitor, 'ja4'>): TlsView {
  return {
    sni: serverName,
    version: '',
    cipherSuite: '',
    negotiatedAlpn: '',
    sessionResumed: false,
    get ja4Fingerprint() {
      return visitor.ja4;
    },
    client: null,
    server: null,
  };
}
