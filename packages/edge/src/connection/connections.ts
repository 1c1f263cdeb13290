/**
 * The connection machine: what happens to a socket from accept to the protocol that serves it. The order is
 *
 * 1. accept          counted first: a connection over the limits costs nothing else
 * 2. introduce       who the visitor is; a PROXY header stands before everything, even TLS
 * 3. identify        by the port (tcp), the ClientHello (TLS) or the first byte (http), all read without consuming
 * 4. on_tcp_connect  before TLS ends, because `terminate-tls` decides how it ends, and refusing must be cheap
 * 5. pass through | terminate TLS
 * 6. HTTP/1 | HTTP/2 | bytes to the agent
 *
 * Every stage either hands the socket on or closes it.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { fail } from '@postern/errors';
import type { TlsTermination } from '@postern/policy';
import type { EdgeContext, HttpService, LiveEndpoint } from '../context.ts';
import type { TlsIdentity } from '@postern/link';
import { withDeadline } from '../deadline.ts';
import type { Gate } from '../listeners/gate.ts';
import type { Service } from '../listeners/listener.ts';
import { pickMember } from '../routing/pick-member.ts';
import { ACME_TLS } from './challenges.ts';
import { serviceAlpn } from './alpn.ts';
import type { ByteDelivery } from './byte-delivery.ts';
import type { CertificateCache } from './certificates.ts';
import { ClientHelloReader, isTlsStart, type ClientHello, type HelloResult } from './client-hello.ts';
import { runConnectPhase } from './connect-phase.ts';
import { awaitFirstBytes } from './first-bytes.ts';
import { giveBack } from './give-back.ts';
import { introduce, introduceNow, type Introduction } from './introduce.ts';
import { peek, type Peeked } from './peek.ts';
import { Alert, httpError, sayAndClose, tlsAlert } from './plain-answers.ts';
import { demandsOf, givenIdentity } from './termination.ts';
import { AGENT_DEMANDS, HTTPS_DEMANDS, NO_DEMANDS, type TlsDemands, type TlsTerminators } from './tls-terminators.ts';
import { SocketTlsView } from './tls-view.ts';
import { helloView, type Visitor } from './visitor.ts';

/** Seconds; long enough for the line to have ended. */
const RETRY_AFTER = ['retry-after: 3'];
const CROWDED = httpError(fail(90090), undefined, RETRY_AFTER);
const CERTIFICATE_MS = 10_000;
/** For a certificate authority to go. */
const CHALLENGE_MS = 1_000;

export interface ConnectionServices {
  readonly context: EdgeContext;
  readonly http: HttpService;
  readonly bytes: ByteDelivery;
  readonly certificates: CertificateCache;
  readonly terminators: TlsTerminators;
  readonly introduction: Introduction;
  /** Whether agents have a listener of their own, so that nobody but visitors is meant to come to the others. */
  readonly agentsApart: boolean;
  /** Takes an agent's connection after its TLS handshake. */
  readonly acceptAgent: (socket: TLSSocket, remoteAddr: string, remoteIp: string) => void;
}

export class Connections {
  readonly #services: ConnectionServices;
  readonly #context: EdgeContext;
  readonly #agentNames: ReadonlySet<string>;
  readonly #ways: Readonly<
    Record<Exclude<Service, 'http'>, (socket: Socket, port: number, crowded: Gate | null) => Promise<void>>
  > = {
    tls: (socket, _port, crowded) => this.#serveTls(socket, crowded),
    tcp: (socket, port) => this.#serveTcp(socket, port),
    agents: (socket) => this.#serveAgent(socket),
  };
  /** Visitors between accept and what serves them. */
  #arriving = 0;
  #whenArrived: (() => void)[] = [];

  constructor(services: ConnectionServices) {
    this.#services = services;
    this.#context = services.context;
    this.#agentNames = new Set(services.context.config.agentNames.map((name) => name.toLowerCase()));
  }

  /** A connection to a listener, if its gate lets it in. A fault of ours costs it, and no other. */
  accept(serves: Service, gate: Gate, socket: Socket, port: number): void {
    this.#arriving++;
    try {
      const verdict = gate.come();
      const crowded = verdict === 'take' ? null : gate;
      const gone = verdict !== 'take' && this.#turnAway(serves, gate, socket, verdict);
      if (gone || !gate.admit(socket)) this.#hasArrived();
      else if (serves === 'http') this.#serveHttp(socket);
      else void this.#arrives(this.#ways[serves](socket, port, crowded), socket);
    } catch (error) {
      this.#failed(error, socket);
      this.#hasArrived();
    }
  }

  async #arrives(way: Promise<void>, socket: Socket): Promise<void> {
    try {
      await way;
    } catch (error) {
      this.#failed(error, socket);
    }
    this.#hasArrived();
  }

  #failed(error: unknown, socket: Socket): void {
    this.#context.faults.report(error, 'a connection that was arriving');
    socket.destroy();
  }

  #hasArrived(): void {
    this.#arriving--;
    if (this.#arriving === 0) for (const resolve of this.#whenArrived.splice(0)) resolve();
  }

  /**
   * More come than can be served: whoever comes now is refused before he costs anything. What he may understand is said
   * where that is cheap; a TLS client could only be told behind a handshake, which is what costs most.
   * @returns false = it may be an agent, as its name will tell
   */
  #turnAway(serves: Service, gate: Gate, socket: Socket, verdict: 'refuse' | 'cut'): boolean {
    if (serves === 'tls' && !this.#services.agentsApart) return false;
    gate.countCrowdedOut();
    if (serves !== 'http' || verdict === 'cut') socket.resetAndDestroy();
    // Those who are told linger for a moment, and count meanwhile.
    else if (gate.admit(socket)) sayAndClose(socket, CROWDED, this.#context.wheel);
    return true;
  }

  /** Resolves when nobody is between accept and what serves him. */
  arrived(): Promise<void> {
    if (this.#arriving === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenArrived.push(resolve));
  }

  /** The way of most connections: nothing is waited for but the first bytes. */
  #serveHttp(socket: Socket): void {
    const visitor = introduceNow(this.#context, this.#services.introduction, socket);
    if (visitor !== null) this.#awaitHttp(socket, visitor);
    else void this.#arrives(this.#serveHttpBehindHeader(socket), socket);
  }

  async #serveHttpBehindHeader(socket: Socket): Promise<void> {
    const visitor = await this.#introduce(socket);
    if (visitor === null) return;
    this.#arriving++;
    this.#awaitHttp(socket, visitor);
  }

  #awaitHttp(socket: Socket, visitor: Visitor): void {
    const { wheel, config } = this.#context;
    awaitFirstBytes(socket, wheel, config.limits.requestHeadMs, (bytes) => {
      try {
        this.#serveHttp1(socket, visitor, bytes);
      } catch (error) {
        this.#failed(error, socket);
      }
      this.#hasArrived();
    });
  }

  #serveHttp1(socket: Socket, visitor: Visitor, bytes: Buffer | null): void {
    if (bytes === null) socket.destroy();
    // A TLS client shows nothing of what it is told here, but "wrong version number" is how this mistake is known.
    else if (isTlsStart(bytes)) sayAndClose(socket, httpError(fail(90007)), this.#context.wheel);
    else {
      const { fromTrustedProxy, clientAddr } = visitor;
      const facts = { scheme: 'http', conn: visitor, clientAddr, ruledBy: null, fromTrustedProxy } as const;
      this.#services.http.serveHttp1({ socket, ...facts }, bytes);
    }
  }

  /** https and tls endpoints, and agents that dial one of our names. @param crowded where too many come; only agents are served */
  async #serveTls(socket: Socket, crowded: Gate | null): Promise<void> {
    const visitor = await this.#introduce(socket);
    if (visitor === null) return;
    const seen = await this.#hello(socket);
    if (seen === null) return;
    const { bytes, hello } = seen;
    const { serverName } = hello;
    if (this.#agentNames.has(serverName)) return this.#agent(socket, visitor, serverName, bytes);
    if (crowded !== null) {
      crowded.countCrowdedOut();
      return void socket.resetAndDestroy();
    }
    // Without a name there is nothing to route by (the published 3003 is this alert).
    if (serverName === '') return this.#alert(socket, Alert.unrecognizedName);
    const challenge = this.#context.challenges.identity(serverName, hello.alpn);
    if (challenge !== null) return this.#challenged(socket, bytes, challenge);
    const { routes, returning, config } = this.#context;
    // Whoever has a wildcard over our own name does not have that name.
    const route = serverName === config.logins.host ? null : routes.findTls(serverName);
    if (route === null && (routes.isAwayPassthrough(serverName) || returning.expects('tls', serverName))) {
      return this.#alert(socket, Alert.unrecognizedName);
    }
    visitor.hello = hello;
    // A name that nobody holds may still have a certificate; then HTTP can say that the endpoint is offline.
    if (route === null) return this.#https(socket, visitor, serverName, bytes, null, null);

    visitor.tls = helloView(serverName, visitor);
    const entry = pickMember(route, this.#context.agents, this.#context.random);
    const verdict = await runConnectPhase(this.#context, visitor, entry);
    if (socket.destroyed) return;
    if (verdict.kind === 'close') {
      const code = verdict.error?.code ?? '';
      this.#services.bytes.report({ visitor, live: entry, serverName }, 0, 0, 'refused', code);
      if (verdict.error === null) socket.destroy();
      else this.#alert(socket, Alert.accessDenied);
      return;
    }
    const { live, termination } = verdict;
    if (entry.endpoint.proto !== 'https') return this.#tlsBytes(socket, visitor, serverName, bytes, live, termination);
    if (live !== entry) {
      this.#context.log.warn({ endpoint: entry.endpoint.id }, 'an https endpoint can forward in on_http_request only');
      return this.#alert(socket, Alert.internalError);
    }
    return this.#https(socket, visitor, serverName, bytes, live, termination);
  }

  /** A certificate authority looks at the certificate of the handshake, and there is nothing behind it (RFC 8737 §3). */
  async #challenged(socket: Socket, bytes: Buffer, identity: TlsIdentity): Promise<void> {
    const secured = await this.#terminate(socket, bytes, identity, { ...NO_DEMANDS, alpn: [ACME_TLS] });
    if (secured === null) return;
    secured.end();
    this.#context.wheel.schedule(CHALLENGE_MS, () => secured.destroy());
  }

  async #serveAgent(socket: Socket): Promise<void> {
    const visitor = await this.#introduce(socket);
    if (visitor === null) return;
    const seen = await this.#hello(socket);
    if (seen !== null) await this.#agent(socket, visitor, seen.hello.serverName, seen.bytes);
  }

  /** @param port of a TCP endpoint */
  async #serveTcp(socket: Socket, port: number): Promise<void> {
    const visitor = await this.#introduce(socket);
    if (visitor === null) return;
    const route = this.#context.routes.findTcp(port);
    if (route === null) return void socket.destroy();
    const entry = pickMember(route, this.#context.agents, this.#context.random);
    const verdict = await runConnectPhase(this.#context, visitor, entry);
    if (socket.destroyed) return;
    if (verdict.kind === 'close') {
      const code = verdict.error?.code ?? '';
      this.#services.bytes.report({ visitor, live: entry, serverName: '' }, 0, 0, 'refused', code);
      return void socket.destroy();
    }
    await this.#services.bytes.deliver({
      visitor,
      socket,
      live: verdict.live,
      passthroughTls: false,
      first: null,
      serverName: '',
    });
  }

  async #introduce(socket: Socket): Promise<Visitor | null> {
    const now = introduceNow(this.#context, this.#services.introduction, socket);
    if (now !== null) return now;
    const visitor = await introduce(this.#context, this.#services.introduction, socket);
    if (visitor === null) socket.destroy();
    return visitor;
  }

  /** What the ClientHello says, and the bytes read; null = answered or closed. */
  async #hello(socket: Socket): Promise<{ readonly hello: ClientHello; readonly bytes: Buffer } | null> {
    const { wheel, config } = this.#context;
    const reader = new ClientHelloReader();
    const examine = (chunk: Buffer): Exclude<HelloResult, { kind: 'more' }> | null => {
      const result = reader.push(chunk);
      return result.kind === 'more' ? null : result;
    };
    const seen: Peeked<Exclude<HelloResult, { kind: 'more' }>> | null = await peek(
      socket,
      wheel,
      config.limits.clientHelloMs,
      examine,
    );
    if (seen === null) {
      socket.destroy();
      return null;
    }
    if (seen.result.kind === 'hello') return { hello: seen.result.hello, bytes: seen.bytes };
    // 400 and not the table's 426: the request cannot be upgraded in place, and old clients know 400.
    if (seen.result.kind === 'http') sayAndClose(socket, httpError(fail(90006), 400), wheel);
    else {
      this.#context.log.debug({ reason: seen.result.reason }, 'not a ClientHello');
      this.#alert(socket, Alert.decodeError);
    }
    return null;
  }

  async #agent(socket: Socket, visitor: Visitor, serverName: string, bytes: Buffer): Promise<void> {
    // Agents that dial an address send no name: they get the certificate for that address, which a proxy may have
    // changed, or else the one for this machine, which carries the addresses too.
    const asked = serverName === '' ? (socket.localAddress ?? '').replace(/^::ffff:/, '') : serverName;
    const [ownName = 'localhost'] = this.#context.config.agentNames.toReversed();
    const identity = (asked === '' ? null : await this.#identity(asked)) ?? (await this.#identity(ownName));
    if (identity === null) return this.#alert(socket, Alert.unrecognizedName);
    const secured = await this.#terminate(socket, bytes, identity, AGENT_DEMANDS);
    if (secured !== null) this.#services.acceptAgent(secured, visitor.clientAddr, visitor.clientIp);
  }

  async #https(
    socket: Socket,
    visitor: Visitor,
    serverName: string,
    bytes: Buffer,
    ruledBy: LiveEndpoint | null,
    termination: TlsTermination | null,
  ): Promise<void> {
    const identity = givenIdentity(termination) ?? (await this.#identity(serverName));
    if (identity === null) return this.#alert(socket, Alert.unrecognizedName);
    const secured = await this.#terminate(socket, bytes, identity, demandsOf(HTTPS_DEMANDS, termination));
    if (secured === null) return;
    visitor.tls = new SocketTlsView(secured, serverName, visitor);
    const { fromTrustedProxy, clientAddr } = visitor;
    const connection = {
      socket: secured,
      scheme: 'https',
      conn: visitor,
      clientAddr,
      ruledBy,
      fromTrustedProxy,
    } as const;
    if (secured.alpnProtocol === 'h2') await this.#services.http.serveHttp2(connection);
    else this.#services.http.serveHttp1(connection, null);
  }

  async #tlsBytes(
    socket: Socket,
    visitor: Visitor,
    serverName: string,
    bytes: Buffer,
    live: LiveEndpoint,
    termination: TlsTermination | null,
  ): Promise<void> {
    const { tls } = live.endpoint;
    const deliver = this.#services.bytes;
    if (termination === null && (live.endpoint.proto !== 'tls' || tls.at === 'agent'))
      return deliver.deliver({ visitor, socket, live, passthroughTls: true, first: bytes, serverName });
    const own = tls.at === 'edge' && tls.cert !== null && tls.key !== null ? { cert: tls.cert, key: tls.key } : null;
    const identity = givenIdentity(termination) ?? own ?? (await this.#identity(serverName));
    if (identity === null) return this.#alert(socket, Alert.unrecognizedName);
    const secured = await this.#terminate(
      socket,
      bytes,
      identity,
      demandsOf({ ...NO_DEMANDS, alpn: serviceAlpn(live.endpoint.upstreams) }, termination),
    );
    if (secured === null) return;
    visitor.tls = new SocketTlsView(secured, serverName, visitor);
    await deliver.deliver({ visitor, socket: secured, live, passthroughTls: false, first: null, serverName });
  }

  async #identity(serverName: string): Promise<TlsIdentity | null> {
    const { wheel, log } = this.#context;
    const { certificates } = this.#services;
    const known = certificates.known(serverName);
    if (known !== null) return known;
    try {
      return await withDeadline(
        wheel,
        certificates.get(serverName),
        CERTIFICATE_MS,
        () => new Error('no certificate in time'),
      );
    } catch (error) {
      log.error({ server_name: serverName, reason: String(error) }, 'certificate not available');
      return null;
    }
  }

  async #terminate(
    socket: Socket,
    bytes: Buffer,
    identity: TlsIdentity,
    demands: TlsDemands,
  ): Promise<TLSSocket | null> {
    if (socket.destroyed) return null;
    giveBack(socket, bytes);
    try {
      return await this.#services.terminators.terminate(socket, identity, demands);
    } catch (error) {
      this.#context.log.error({ reason: String(error) }, 'certificate, key or client CA cannot be used');
      this.#alert(socket, Alert.internalError);
      return null;
    }
  }

  #alert(socket: Socket, description: number): void {
    sayAndClose(socket, tlsAlert(description), this.#context.wheel);
  }
}
