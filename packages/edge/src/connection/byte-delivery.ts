/** The last stage of tcp and tls connections: bytes to an agent and back, until both are done. */
import { fail, isPosternError } from '@postern/errors';
import type { Socket } from 'node:net';
import type { EdgeContext, LiveEndpoint } from '../context.ts';
import type { StreamPurpose } from '../streams/agent-streams.ts';
import type { AccessFacts, AgentUpstream } from '@postern/link';
import { IdlePipes } from '../places/idle-pipes.ts';
import { networkOf } from '../places/network.ts';
import type { PlaceClaim } from '../places/place.ts';
import { pickUpstream } from '../routing/pick-member.ts';
import { BytePipe, type PipeEndReason } from './pipe.ts';
import { proxyHeaderFor } from './proxy-header.ts';
import type { Visitor } from './visitor.ts';

export interface Delivery {
  readonly visitor: Visitor;
  /** The visitor's TCP socket, or the TLS socket that ended its TLS. */
  readonly socket: Socket;
  /** The endpoint that serves. */
  readonly live: LiveEndpoint;
  /** The bytes are the visitor's own TLS. */
  readonly passthroughTls: boolean;
  /** Read from the visitor already. */
  readonly first: Buffer | null;
  /** SNI name, or '' for tcp. */
  readonly serverName: string;
}

/** Streams small enough to leave with the opening frame do. */
const MOST_FIRST = 8_192;
const EDGE_TYPES = { http: '0', https: '3', tls: '2', tcp: '1' } as const;

export class ByteDelivery {
  readonly #context: EdgeContext;
  readonly #pipes = new Set<BytePipe>();
  readonly #silent = new IdlePipes();
  #whenEmpty: (() => void)[] = [];
  #retiring = false;

  constructor(context: EdgeContext) {
    this.#context = context;
    context.agents.onPressure({
      idle: () => false,
      slow: (sessionId, beyondShare) => this.#silent.reclaim(sessionId, beyondShare),
    });
  }

  /** Connections that flow now. */
  get open(): number {
    return this.#pipes.size;
  }

  /** Takes the socket over; it is closed when this cannot be delivered. Never rejects. */
  async deliver(delivery: Delivery): Promise<void> {
    const { socket } = delivery;
    try {
      await this.#connect(delivery);
    } catch (error) {
      const code = isPosternError(error) ? error.code : '';
      if (code === '') this.#context.log.error({ reason: String(error) }, 'connection could not be delivered');
      socket.destroy();
      this.report(delivery, 0, 0, 'refused', code);
    }
  }

  async #connect(delivery: Delivery): Promise<void> {
    const { agents } = this.#context;
    const claim = { network: networkOf(delivery.visitor.clientIp), endpointId: delivery.live.endpoint.id, long: true };
    let lost: unknown = fail(3210);
    // A session may be lost, or fill up, between the choice and the opening; another one of the endpoint may have room.
    for (let attempt = 0; attempt <= delivery.live.endpoint.upstreams.length; attempt++) {
      const upstream = pickUpstream(delivery.live, agents, this.#context.random);
      if (upstream === null) throw lost;
      try {
        if (agents.canOpen(upstream, claim)) this.#open(delivery, upstream, claim);
        else await this.#openLater(delivery, upstream, claim);
        return;
      } catch (error) {
        if (!isPosternError(error)) throw error;
        lost = error;
      }
    }
    throw lost;
  }

  /** Opens within the call that gives the place: it is nobody else's then. */
  #openLater(delivery: Delivery, upstream: AgentUpstream, claim: PlaceClaim): Promise<void> {
    const { socket } = delivery;
    return new Promise((resolve, reject) => {
      const left = (): void => {
        wait.cancel();
        resolve();
      };
      const wait = this.#context.agents.wait(upstream, claim, (refused) => {
        socket.off('close', left);
        try {
          if (refused !== null) throw refused;
          if (!socket.destroyed) this.#open(delivery, upstream, claim);
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
      socket.once('close', left);
    });
  }

  #open(delivery: Delivery, upstream: AgentUpstream, claim: PlaceClaim): void {
    const context = this.#context;
    const { visitor, socket, live, first } = delivery;
    const purpose: StreamPurpose = {
      clientAddr: visitor.clientAddr,
      proto: live.endpoint.proto,
      edgeType: live.endpoint.kind === 'edge' ? EDGE_TYPES[live.endpoint.proto] : '0',
      passthroughTls: delivery.passthroughTls,
    };
    const proxyHeader = proxyHeaderFor(upstream, visitor);
    const early = first !== null && first.length <= MOST_FIRST ? first : undefined;
    const pipe = new BytePipe(socket, context, (ended, reason) => {
      this.#pipes.delete(ended);
      this.#silent.remove(ended);
      this.report(delivery, ended.bytesIn, ended.bytesOut, reason, '', upstream.sessionId);
      if (this.#pipes.size === 0) for (const callback of this.#whenEmpty.splice(0)) callback();
    });
    try {
      const stream = context.agents.open(upstream, claim, purpose, proxyHeader, pipe, early);
      this.#pipes.add(pipe);
      this.#silent.add(pipe, stream);
      if (early !== undefined) pipe.bytesIn += early.length;
      pipe.start(stream, early === undefined ? first : null);
      if (this.#retiring) pipe.retire();
    } catch (error) {
      pipe.discard();
      throw error;
    }
  }

  report(
    delivery: Pick<Delivery, 'visitor' | 'live' | 'serverName'>,
    bytesIn: number,
    bytesOut: number,
    reason: PipeEndReason | 'refused',
    errorCode: string,
    sessionId = '',
  ): void {
    const { visitor, live } = delivery;
    this.#context.traffic({
      kind: live.endpoint.proto === 'tcp' ? 'tcp' : 'tls',
      endpointId: live.endpoint.id,
      accountId: live.endpoint.accountId,
      startedAt: visitor.startedAt,
      durationMs: this.#context.now() - visitor.startedAt,
      clientAddr: visitor.clientAddr,
      bytesIn,
      bytesOut,
      method: '',
      host: delivery.serverName,
      path: '',
      status: 0,
      errorCode,
      reason,
      access: this.#context.config.accessLog ? accessOf(visitor, sessionId) : null,
    });
  }

  /** Ends what is idle, and what becomes idle; resolves when nothing flows any more. */
  drain(): Promise<void> {
    this.#retiring = true;
    for (const pipe of this.#pipes) pipe.retire();
    if (this.#pipes.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  /** Cuts what is left. */
  destroyAll(): void {
    for (const pipe of this.#pipes) pipe.destroy('shutdown');
  }
}

function accessOf(visitor: Visitor, sessionId: string): AccessFacts {
  return {
    clientIp: visitor.clientIp,
    scheme: '',
    protocol: '',
    query: '',
    userAgent: '',
    referer: '',
    requestId: '',
    tlsVersion: visitor.tls?.version ?? '',
    sessionId,
    headMs: -1,
  };
}
