/**
 * Ends TLS on sockets whose ClientHello has been looked at. There is one unlistened `tls.Server` per certificate and
 * set of demands, so that each has its own session tickets: a session made without a client certificate can not be
 * resumed where one is demanded.
 */
import { createHash, hkdfSync } from 'node:crypto';
import { Socket } from 'node:net';
import { createServer, DEFAULT_CIPHERS, type Server, type TlsOptions, type TLSSocket } from 'node:tls';
import type { TlsTermination } from '@postern/policy';
import type { TlsIdentity } from '@postern/link';
import { abortLater } from './abort.ts';
import { chooseForService, type ServiceAlpn } from './alpn.ts';

/** What a handshake has to fulfil besides the certificate. */
export interface TlsDemands {
  /** Protocols that are served, or what the service behind bytes may want (alpn.ts); [] = the question is left open. */
  readonly alpn: readonly string[] | ServiceAlpn;
  readonly minVersion: TlsTermination['minVersion'];
  readonly maxVersion: TlsTermination['maxVersion'];
  readonly clientCas: readonly string[];
  readonly clientCertificates: TlsTermination['clientCertificates'];
  /** The connection lasts and carries much: what that costs a handshake (20 µs) comes back. */
  readonly bulk?: boolean;
}

export const NO_DEMANDS: TlsDemands = {
  alpn: [],
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  clientCas: [],
  clientCertificates: 'none',
};
/** Of agents. */
export const AGENT_DEMANDS: TlsDemands = { ...NO_DEMANDS, bulk: true };
export const HTTPS_DEMANDS: TlsDemands = { ...NO_DEMANDS, alpn: ['h2', 'http/1.1'] };

/** Before TLS 1.3 the order of ciphers decides whose signature it is, and the runtime's has RSA first, which costs ten times as much. */
const ECDSA_FIRST = DEFAULT_CIPHERS.split(':')
  .toSorted((one, other) => Number(other.includes('ECDSA')) - Number(one.includes('ECDSA')))
  .join(':');
const MOST_SERVERS = 1_000;
/** Characters of PEM in all of them; a context takes about ten times its texts, and client authorities are tenants'. */
const MOST_PEM = 8 * 1024 * 1024;
/** What `tls.Server` takes: a name, a key to sign, a key to seal, 16 bytes each. */
const TICKET_KEY_BYTES = 48;

interface Context {
  readonly server: Server;
  /** Of its certificate, PEM. */
  readonly cert: string;
  /** Of which its tickets are. */
  readonly line: string;
  readonly size: number;
  /** What its tickets are sealed with comes of this; null = of nothing but chance. */
  root: Uint8Array | null;
}

interface Handoff {
  readonly demands: TlsDemands;
  readonly resolve: (socket: TLSSocket | null) => void;
  readonly onClose: () => void;
}

export class TlsTerminators {
  readonly #handshakeMs: number;
  readonly #onFailure: (reason: string) => void;
  /** By certificate and demands, least recently used first. */
  readonly #servers = new Map<string, Context>();
  #pem = 0;
  #ticketRoot: Uint8Array | null = null;
  /** Keys of {@link #servers} that have been made: texts of certificates are long, and the objects are the same again and again. */
  readonly #keys = new WeakMap<TlsIdentity, WeakMap<TlsDemands, string>>();
  /** Handshakes under way, by the connection below. */
  readonly #handoffs = new WeakMap<Socket, Handoff>();

  constructor(handshakeMs: number, onFailure: (reason: string) => void) {
    this.#handshakeMs = handshakeMs;
    this.#onFailure = onFailure;
  }

  /**
   * Shakes hands over `socket` (peeked bytes given back before).
   * @returns null when it failed; the socket is destroyed then
   * @throws Error when the certificate, key or a client CA cannot be used
   */
  terminate(socket: Socket, identity: TlsIdentity, demands: TlsDemands): Promise<TLSSocket | null> {
    const server = this.#serverFor(identity, demands);
    if (socket.destroyed) return Promise.resolve(null);
    return new Promise((resolve) => {
      const onClose = (): void => this.#settle(socket, null);
      this.#handoffs.set(socket, { demands, resolve, onClose });
      socket.on('close', onClose);
      // During the handshake a FIN is the end. With a half-open connection the runtime would tell it to nobody.
      socket.allowHalfOpen = false;
      server.emit('connection', socket);
      socket.allowHalfOpen = true;
    });
  }

  /**
   * A session ticket is as secret as the key that sealed it (RFC 8446 §8.1), so keys are replaced. Every edge of a node
   * has the same `root`, and each certificate with its demands a key of its own from it: a visitor resumes at whichever
   * edge he comes to. Who brings a ticket of an earlier root shakes hands in full.
   */
  sealTickets(root: Uint8Array): void {
    this.#ticketRoot = root;
  }

  /** Forgets the contexts of these certificates, with their keys; connections that use them are not touched. */
  forget(identities: readonly TlsIdentity[]): void {
    const gone = new Set(identities.map(({ cert }) => cert));
    for (const [key, { cert, size }] of this.#servers) {
      if (!gone.has(cert)) continue;
      this.#servers.delete(key);
      this.#pem -= size;
    }
  }

  /** The same of all. */
  clear(): void {
    this.#servers.clear();
    this.#pem = 0;
  }

  #serverFor(identity: TlsIdentity, demands: TlsDemands): Server {
    const key = this.#keyOf(identity, demands);
    const known = this.#servers.get(key);
    if (known !== undefined) {
      this.#servers.delete(key);
      this.#servers.set(key, known);
      this.#seal(known);
      return known.server;
    }
    const size = demands.clientCas.reduce(
      (sum, { length }) => sum + length,
      identity.cert.length + identity.key.length + (identity.twin?.cert.length ?? 0) + (identity.twin?.key.length ?? 0),
    );
    const line = lineOf(identity, demands, key);
    const server = this.#create(identity, demands, line);
    const context: Context = { server, cert: identity.cert, line, size, root: null };
    this.#seal(context);
    this.#servers.set(key, context);
    this.#pem += size;
    for (const [oldest, { size: freed }] of this.#servers) {
      if (this.#servers.size === 1 || (this.#servers.size <= MOST_SERVERS && this.#pem <= MOST_PEM)) break;
      this.#servers.delete(oldest);
      this.#pem -= freed;
    }
    return server;
  }

  #keyOf(identity: TlsIdentity, demands: TlsDemands): string {
    let keys = this.#keys.get(identity);
    if (keys === undefined) this.#keys.set(identity, (keys = new WeakMap()));
    let key = keys.get(demands);
    if (key === undefined) {
      key = createHash('sha256')
        .update(JSON.stringify([identity.cert, identity.key, identity.twin, identity.staple, demands]))
        .digest('base64');
      keys.set(demands, key);
    }
    return key;
  }

  #seal(context: Context): void {
    const root = this.#ticketRoot;
    if (root === null || root === context.root) return;
    context.root = root;
    context.server.setTicketKeys(
      Buffer.from(hkdfSync('sha256', root, '', `tickets ${context.line}`, TICKET_KEY_BYTES)),
    );
  }

  #create(identity: TlsIdentity, demands: TlsDemands, line: string): Server {
    const options: TlsOptions = {
      ...keysOf(identity),
      minVersion: demands.minVersion,
      maxVersion: demands.maxVersion,
      handshakeTimeout: this.#handshakeMs,
      requestCert: demands.clientCertificates !== 'none',
      rejectUnauthorized: demands.clientCertificates === 'require-and-verify',
      sessionIdContext: line.slice(0, 32),
    };
    const { alpn } = demands;
    if (typeof alpn === 'string') options.ALPNCallback = ({ protocols }) => chooseForService(alpn, protocols);
    else if (alpn.length > 0) options.ALPNProtocols = [...alpn];
    if (demands.clientCas.length > 0) options.ca = [...demands.clientCas];
    const server = createServer(options);
    if (identity.staple !== undefined && identity.twin === undefined) {
      const staple = Buffer.from(identity.staple, 'base64');
      server.on('OCSPRequest', (_certificate, _issuer, done: (error: null, response: Buffer) => void) =>
        done(null, staple),
      );
    }
    if (demands.bulk === true) readInWholeRecords(server);
    server.on('secureConnection', (socket) => this.#secured(socket));
    server.on('tlsClientError', (error, socket) => {
      this.#onFailure(error.message);
      socket.destroy();
    });
    return server;
  }

  #secured(socket: TLSSocket): void {
    // Whoever takes the socket may wait before it listens; an 'error' without a listener would end the process.
    // Node leaves a socket open whose TLS has failed after the handshake, and nothing can come over it any more.
    socket.on('error', destroyItself);
    socket.allowHalfOpen = true;
    const below = connectionBelow(socket);
    const handoff = below === null ? undefined : this.#handoffs.get(below);
    if (below === null || handoff === undefined) {
      socket.destroy();
      return;
    }
    if (handoff.demands.clientCertificates === 'require-any' && socket.getPeerX509Certificate() === undefined) {
      this.#onFailure('the client gave no certificate');
      socket.destroy();
      return;
    }
    abortLater(socket);
    this.#settle(below, socket);
  }

  #settle(below: Socket, secured: TLSSocket | null): void {
    const handoff = this.#handoffs.get(below);
    if (handoff === undefined) return;
    this.#handoffs.delete(below);
    below.off('close', handoff.onClose);
    handoff.resolve(secured);
  }
}

/**
 * What the runtime reads a connection into begins with a buffer as large as what it is given first: our peeked ClientHello.
 * So each 16 KiB would take two reads for ever, one of them as short as that hello. Whoever looks for sessions
 * by their ids (which nobody has here: they are in tickets) gets a first buffer of 16 KiB (docs/performance.md).
 */
function readInWholeRecords(server: Server): void {
  server.on('resumeSession', (_id: Buffer, done: (error: null, session: null) => void) => done(null, null));
}

/** OpenSSL chooses among kinds of key by what the client's hello takes, chain and all; it prefers ECDSA as TLS 1.3 orders it. */
function keysOf({ cert, key, twin }: TlsIdentity): Pick<TlsOptions, 'cert' | 'key' | 'ciphers'> {
  if (twin === undefined) return { cert, key };
  return { cert: [cert, twin.cert], key: [key, twin.key], ciphers: ECDSA_FIRST };
}

/** Sessions outlive a certificate whose successor is of the same line, with the same demands. */
function lineOf({ line }: TlsIdentity, demands: TlsDemands, key: string): string {
  if (line === undefined) return key;
  return createHash('sha256')
    .update(JSON.stringify([line, demands]))
    .digest('base64');
}

function destroyItself(this: TLSSocket): void {
  this.destroy();
}

/** By the runtime's own field: the public API has no link between the two but their addresses, which the system has to be asked for. */
function connectionBelow(secured: TLSSocket): Socket | null {
  const parent: unknown = Reflect.get(secured, '_parent');
  return parent instanceof Socket ? parent : null;
}
