/** One visitor's connection as policies, agents and logs see it. */
import type { Socket } from 'node:net';
import type { ConnView, TlsView } from '@postern/policy';

export interface VisitorAddress {
  readonly ip: string;
  readonly port: number;
}

export class Visitor implements ConnView {
  readonly clientIp: string;
  readonly clientPort: number;
  readonly serverIp: string;
  readonly serverPort: number;
  readonly serverRegion: string;
  readonly startedAt: number;
  /** Peer of the TCP connection is a believed proxy. */
  readonly fromTrustedProxy: boolean;
  /** The TCP socket, whatever runs over it. */
  readonly socket: Socket;
  tls: TlsView | null = null;
  /** Fingerprint of its ClientHello; '' without one. */
  ja4 = '';

  constructor(
    socket: Socket,
    facts: {
      readonly client: VisitorAddress;
      readonly server: VisitorAddress;
      readonly region: string;
      readonly startedAt: number;
      readonly fromTrustedProxy: boolean;
    },
  ) {
    this.socket = socket;
    this.clientIp = facts.client.ip;
    this.clientPort = facts.client.port;
    this.serverIp = facts.server.ip;
    this.serverPort = facts.server.port;
    this.serverRegion = facts.region;
    this.startedAt = facts.startedAt;
    this.fromTrustedProxy = facts.fromTrustedProxy;
  }

  get bytesIn(): number {
    return this.socket.bytesRead;
  }

  get bytesOut(): number {
    return this.socket.bytesWritten;
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
export function helloView(serverName: string, ja4Fingerprint: string): TlsView {
  return {
    sni: serverName,
    version: '',
    cipherSuite: '',
    negotiatedAlpn: '',
    sessionResumed: false,
    ja4Fingerprint,
    client: null,
    server: null,
  };
}
