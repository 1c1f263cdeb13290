/**
 * HTTP/2 connections to `http2` upstreams, over agent streams. A link serves the requests of one visitor connection to
 * one endpoint, several at once, and is closed when it has been idle for a while.
 */
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream, type Settings } from 'node:http2';
import { fail } from '@postern/errors';
import { MuxErrorCode, type MuxStream } from '@postern/protocol';
import { ignore } from '../../connection/pipe.ts';
import type { EdgeContext, TimerHandle } from '../../context.ts';
import type { StreamPurpose } from '../../streams/agent-streams.ts';
import type { Guard } from '../../guard.ts';
import type { AgentUpstream } from '@postern/link';
import { dialFailure } from './dial-failure.ts';
import { notTaken } from './not-taken.ts';
import type { PlaceClaim, PlaceWait } from '../../places/place.ts';
import type { UpstreamFailure, UpstreamOwner } from '../exchange/ports.ts';
import { type KeptIndex, type Spare, Turn } from './kept.ts';
import { NativeLife } from '../codec/http2-native-life.ts';
import { keepStreamsPassing } from '../codec/passing.ts';
import { StreamErrors } from '../codec/http2-stream-errors.ts';
import { MuxDuplex } from './mux-duplex.ts';
import type { UnreadPieces } from './unread-pieces.ts';
import { type Http2Carrier, Http2Upstream } from './http2.ts';

const WINDOW_BYTES = 1_048_576;
/** Of a service that has never said how many requests it takes at once. */
const ASSUMED_STREAMS = 100;
const LARGEST_STREAM_ID = 0x7fff_ffff;

export class Http2Link implements Spare, Http2Carrier {
  readonly endpointId: string;
  readonly upstream: AgentUpstream;
  readonly turn = new Turn(this);
  readonly session: ClientHttp2Session;
  readonly stream: MuxStream;
  readonly native: NativeLife;
  /** Of the visitor connection. */
  readonly guard: Guard;
  private readonly edge: EdgeContext;
  private readonly duplex: MuxDuplex;
  private readonly owner: LinkOwner;
  private readonly errors: StreamErrors;
  private readonly idle: TimerHandle;
  private requests = 0;
  private closed = false;
  /** The last request that the service took, when it has said so by GOAWAY (RFC 9113 §6.8). */
  private lastTaken = LARGEST_STREAM_ID;

  constructor(
    edge: EdgeContext,
    upstream: AgentUpstream,
    claim: PlaceClaim,
    purpose: StreamPurpose,
    proxyHeader: Buffer | null,
    owner: LinkOwner,
  ) {
    this.edge = edge;
    this.endpointId = claim.endpointId;
    this.upstream = upstream;
    this.owner = owner;
    const { guard } = owner;
    this.guard = guard;
    const duplex = new MuxDuplex(guard);
    this.stream = edge.agents.open(upstream, claim, purpose, proxyHeader, duplex);
    duplex.attach(this.stream);
    this.duplex = duplex;
    const { headBytes } = edge.config.limits;
    this.session = connect('http://upstream', {
      createConnection: () => duplex,
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES, maxHeaderListSize: headBytes },
      maxHeaderListPairs: 2_000,
      // Until it says how many it takes on this connection. One that took none has told itself from the others.
      peerMaxConcurrentStreams: Math.max(1, owner.streamLimits.get(upstream) ?? ASSUMED_STREAMS),
      // The default of 64 KiB would fail heads that our own limit lets pass; fields count 32 bytes more each here.
      maxSendHeaderBlockLength: headBytes + 32_768,
    });
    keepStreamsPassing(this.session);
    this.native = new NativeLife(this.session);
    this.errors = new StreamErrors(this.session, guard, () => this.destroy());
    this.session.on('error', ignore);
    this.session.on(
      'remoteSettings',
      guard.wrap(({ maxConcurrentStreams }: Settings) => {
        if (maxConcurrentStreams !== undefined) owner.streamLimits.set(upstream, maxConcurrentStreams);
      }),
    );
    this.session.on(
      'close',
      guard.wrap(() => {
        this.errors.stop();
        this.gone();
        owner.onEnded(this);
      }),
    );
    this.session.on(
      'goaway',
      guard.wrap((_code: number, lastTaken: number) => {
        this.lastTaken = Math.min(this.lastTaken, lastTaken);
        this.gone();
      }),
    );
    this.idle = guard.schedule(edge.config.limits.upstreamIdleMs, () => {
      if (this.requests === 0) this.destroy();
    });
  }

  get usable(): boolean {
    const limit = this.session.remoteSettings.maxConcurrentStreams ?? ASSUMED_STREAMS;
    if (this.closed || this.session.closed || this.session.destroyed || this.errors.doubtful) return false;
    return this.requests < limit;
  }

  streamClosed(code: number): void {
    this.errors.streamClosed(code);
  }

  request(exchange: UpstreamOwner): void {
    const upstream = new Http2Upstream(this, exchange);
    // It may throw; then nothing is under way.
    upstream.start();
    if (this.requests === 0) this.owner.onBusy(this);
    this.requests++;
    exchange.attach(upstream);
  }

  done(): void {
    this.requests--;
    // Its end may have to wait for the service, which is not waited for.
    if (this.session.destroyed) this.gone();
    if (!this.closed && this.owner.onFree(this)) return;
    if (this.requests > 0) return;
    if (this.closed || this.edge.agents.scarce(this.upstream)) {
      this.destroy();
      return;
    }
    this.idle.refresh();
    this.owner.onIdle(this);
  }

  yieldPlace(): void {
    if (this.requests === 0) this.destroy();
  }

  leftUntaken(stream: ClientHttp2Stream): boolean {
    if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) return true;
    return stream.id === undefined || stream.id > this.lastTaken;
  }

  get unread(): UnreadPieces {
    return this.duplex.unread;
  }

  ended(stream: ClientHttp2Stream): boolean {
    return this.duplex.ends.take(stream.id ?? 0);
  }

  failure(exchange: UpstreamOwner, untouched: boolean): UpstreamFailure {
    const { upstream, duplex } = this;
    const { resetCode } = duplex;
    const refused = notTaken(upstream, resetCode ?? 0, this.edge.config.limits.queueMs);
    if (refused !== null) return refused;
    if (resetCode === MuxErrorCode.sessionClosed || resetCode === MuxErrorCode.peerEof) {
      return { upstream, error: fail(3210), reason: 'agent-gone', retry: untouched ? 'idempotent' : 'none' };
    }
    if (untouched && (resetCode === MuxErrorCode.acceptQueueFull || resetCode === MuxErrorCode.streamRefused)) {
      return { upstream, error: fail(90012), reason: 'upstream-reset', retry: 'any' };
    }
    if (duplex.opening.startsWith('HTTP/1.')) {
      const error = / 502 /.test(duplex.opening)
        ? dialFailure(exchange.upstreamName)
        : fail(3004, { reason: 'it answered in HTTP/1, and HTTP/2 was asked for' });
      return { upstream, error, reason: 'upstream-invalid', retry: 'none' };
    }
    return {
      upstream,
      error: fail(3004, { reason: 'it closed the connection without an answer' }),
      reason: 'upstream-closed',
      retry: untouched ? 'idempotent' : 'none',
    };
  }

  /**
   * At once, not gracefully: a cancelled request that the service's limits never let begin would keep the session, and
   * with it a place at the agent.
   */
  destroy(): void {
    this.gone();
    this.session.destroy();
    this.duplex.part();
  }

  private gone(): void {
    if (this.closed) return;
    this.closed = true;
    this.idle.cancel();
    this.owner.onClosed(this);
  }
}

interface LinkOwner {
  readonly guard: Guard;
  /** Requests at once that services have said they take, for links to come. */
  readonly streamLimits: WeakMap<AgentUpstream, number>;
  /** Its first request for a while comes, its last one is over. */
  onBusy(link: Http2Link): void;
  onIdle(link: Http2Link): void;
  /** One of its requests is over. @returns whether another one took its turn */
  onFree(link: Http2Link): boolean;
  /** It takes no more requests. */
  onClosed(link: Http2Link): void;
  /** Nothing of it is left. */
  onEnded(link: Http2Link): void;
}

/** A request that waits for a place, or for a link that another one opens. */
interface WaitingRequest {
  readonly exchange: UpstreamOwner;
  readonly endpointId: string;
  readonly upstream: AgentUpstream;
  /** The wait that it was entered for: over when the exchange has another one or none. */
  readonly wait: PlaceWait;
  readonly serve: () => void;
}

/** Those of one visitor connection. */
export class Http2Links implements LinkOwner {
  readonly guard: Guard;
  readonly streamLimits: WeakMap<AgentUpstream, number>;
  private links: Http2Link[] = [];
  /** They take no more requests, and may still have some under way. */
  private readonly leaving = new Set<Http2Link>();
  private readonly index: KeptIndex;
  private readonly waiting = new Set<WaitingRequest>();

  constructor(index: KeptIndex, guard: Guard) {
    this.index = index;
    this.guard = guard;
    this.streamLimits = index.streamLimits;
  }

  find(endpointId: string, upstream: AgentUpstream): Http2Link | null {
    for (const link of this.links) {
      if (link.endpointId !== endpointId || !link.usable) continue;
      if (link.upstream.sessionId === upstream.sessionId && link.upstream.tunnelId === upstream.tunnelId) return link;
    }
    return null;
  }

  /** @throws PosternError as `AgentStreams.open` */
  open(
    edge: EdgeContext,
    upstream: AgentUpstream,
    claim: PlaceClaim,
    purpose: StreamPurpose,
    proxyHeader: Buffer | null,
  ): Http2Link {
    const link = new Http2Link(edge, upstream, claim, purpose, proxyHeader, this);
    this.links.push(link);
    return link;
  }

  /** A request waits for a place (`exchange.placeWait`): a link with room for it serves it before. */
  wait(exchange: UpstreamOwner, endpointId: string, upstream: AgentUpstream, serve: () => void): void {
    const { placeWait } = exchange;
    if (placeWait !== null) this.waiting.add({ exchange, endpointId, upstream, wait: placeWait, serve });
  }

  /** Lets requests go on that can use a link which is there. @returns whether one did */
  serveWaiting(): boolean {
    let served = false;
    for (const request of this.waiting) {
      const { exchange, endpointId, upstream, wait } = request;
      if (exchange.placeWait !== wait) this.waiting.delete(request);
      else if (this.find(endpointId, upstream) !== null) {
        this.waiting.delete(request);
        request.serve();
        served = true;
      }
    }
    return served;
  }

  onBusy(link: Http2Link): void {
    this.index.remove(link);
  }

  onIdle(link: Http2Link): void {
    this.index.add(link);
  }

  onFree(): boolean {
    return this.waiting.size > 0 && this.serveWaiting();
  }

  onClosed(link: Http2Link): void {
    this.index.remove(link);
    this.links = this.links.filter((one) => one !== link);
    this.leaving.add(link);
  }

  onEnded(link: Http2Link): void {
    this.leaving.delete(link);
  }

  close(): void {
    for (const link of this.links) link.destroy();
    for (const link of this.leaving) link.destroy();
  }
}
