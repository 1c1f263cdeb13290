/**
 * HTTP/2 front: a `node:http2` session on a visitor's TLS socket. Each stream becomes an exchange after its head has
 * passed the rules of HTTP/1 heads. What a hostile peer could do without end has a price (http2-chatter.ts), and who
 * does not take what waits for it is let go (http2-watch.ts).
 */
import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { fail } from '@postern/errors';
import { type Http1Failure, type RequestHead, validateH2RequestHead } from '@postern/protocol';
import { abort } from '../../connection/abort.ts';
import { ignore } from '../../connection/pipe.ts';
import type { EdgeContext, TimerHandle, VisitorConnection } from '../../context.ts';
import { Guard } from '../../guard.ts';
import type { HttpConnection, HttpConnections } from './open-connections.ts';
import { sizeOf } from '../exchange/fields.ts';
import { Http2Chatter } from './http2-chatter.ts';
import { type StreamOwner, VisitorStream } from './http2-stream.ts';
import { NativeLife } from '../codec/http2-native-life.ts';
import { announceHeads } from './http2-settings.ts';
import { keepStreamsPassing, PassingSet } from '../codec/passing.ts';
import { StreamErrors } from '../codec/http2-stream-errors.ts';
import { Http2Watch } from './http2-watch.ts';
import type { VisitorStages } from '../exchange/exchange.ts';
import { Requester } from '../exchange/requester.ts';

const MAX_STREAMS = 100;
/** Requests that have been begun and reset in one read are told only behind it; more than these are an attack. */
const MOST_UNTOLD = MAX_STREAMS * 4;
/** Per stream; the sum over all streams is bounded by the session's memory. */
const WINDOW_BYTES = 262_144;
const SESSION_MEMORY_MB = 64;
const MAX_FIELDS = 1_000;
/** Above `MAX_FIELDS`, so that too many fields are answered; far above it the runtime resets the stream. */
const MOST_PAIRS = 2_048;
const FIELD_OVERHEAD = 32;
/** Left to the price list: it tells work from abuse, and these counts would end lawful connections. */
const NO_LIMIT = 0xffff_ffff;
/** Without a size of heads: that is told by `announce`, and this session does not enforce it. */
const SETTINGS = {
  maxConcurrentStreams: MAX_STREAMS,
  initialWindowSize: WINDOW_BYTES,
  enableConnectProtocol: false,
};
/** For GOAWAY and what was said before it; a peer that does not read would hold a closed session open for ever. */
const PARTING_MS = 1_000;

export class Http2Connection implements HttpConnection, StreamOwner {
  readonly stages: VisitorStages;
  readonly requester: Requester;
  readonly chatter: Http2Chatter;
  readonly guard: Guard;
  readonly native: NativeLife;
  readonly headBytes: number;
  private readonly edge: EdgeContext;
  private readonly group: HttpConnections;
  private readonly socket: VisitorConnection['socket'];
  private readonly session: ServerHttp2Session;
  private readonly exchanges = new PassingSet<VisitorStream>();
  /** Those whose heads came in this turn of the event loop. */
  private arrived: VisitorStream[] = [];
  private readonly watch: Http2Watch<VisitorStream>;
  private readonly streamErrors: StreamErrors;
  private parting: TimerHandle | null = null;
  private closed = false;

  /** Before one is made. @returns whether the visitor is there still */
  static announce(edge: EdgeContext, { socket }: VisitorConnection): Promise<boolean> {
    const { headBytes, requestHeadMs } = edge.config.limits;
    return announceHeads(socket, SETTINGS, headBytes, edge.wheel, requestHeadMs);
  }

  constructor(edge: EdgeContext, group: HttpConnections, stages: VisitorStages, connection: VisitorConnection) {
    this.edge = edge;
    this.group = group;
    this.socket = connection.socket;
    this.stages = stages;
    this.guard = new Guard(edge.faults, edge.wheel, 'an HTTP/2 connection', () => abort(connection.socket));
    this.requester = new Requester(edge, group.kept, connection, this.guard);
    const { headBytes } = edge.config.limits;
    this.headBytes = headBytes;
    this.session = performServerHandshake(connection.socket, {
      settings: SETTINGS,
      maxSessionMemory: SESSION_MEMORY_MB,
      maxHeaderListPairs: MOST_PAIRS,
      // The default of 64 KiB would end the connection at heads that our own limit lets pass.
      maxSendHeaderBlockLength: headBytes + 32_768,
      maxSettings: 32,
      maxSessionInvalidFrames: NO_LIMIT,
      maxSessionRejectedStreams: NO_LIMIT,
      streamResetBurst: NO_LIMIT,
      streamResetRate: NO_LIMIT,
      // Seen to where fields are made fit for HTTP/2 (http2-fields.ts).
      strictSingleValueFields: false,
    });
    keepStreamsPassing(this.session);
    this.native = new NativeLife(this.session);
    this.streamErrors = new StreamErrors(this.session, this.guard, () => this.cut(constants.NGHTTP2_PROTOCOL_ERROR));
    const bytesRead = (): number => connection.socket.bytesRead;
    this.watch = new Http2Watch(this.guard, edge.config.limits, connection.socket, this.exchanges, this);
    this.chatter = new Http2Chatter(this.guard, bytesRead, () => this.calmDown('frames without purpose'));
  }

  start(): void {
    const { guard, session } = this;
    session.on(
      'stream',
      guard.wrap((stream, _headers, flags, raw) => this.request(stream, flags, raw)),
    );
    session.on(
      'ping',
      guard.wrap(() => {
        this.watch.pinged();
        this.chatter.ping();
      }),
    );
    session.on(
      'remoteSettings',
      guard.wrap(() => this.chatter.settings()),
    );
    session.on('error', ignore);
    session.on(
      'close',
      guard.wrap(() => this.gone()),
    );
    // The socket may be half-closed, and no HTTP/2 client uses that: a FIN means that nobody is there any more.
    this.socket.on(
      'end',
      guard.wrap(() => this.destroy('client-gone')),
    );
    this.session.setLocalWindowSize(WINDOW_BYTES * 4);
    const { socket } = this;
    if (socket.destroyed) this.gone();
    // The end may have come, and been told, before anybody listened.
    else if (socket.readableEnded) this.destroy('client-gone');
  }

  private request(stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    this.watch.asked();
    const size = sizeOf(raw);
    const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const result = this.validate(raw, size, ended);
    const exchange = new VisitorStream(this, stream, size, ended);
    this.exchanges.add(exchange);
    if (result.failure !== null) return exchange.refuse(result.failure);
    this.chatter.head(size);
    if (this.exchanges.size > MOST_UNTOLD) return this.calmDown('requests that were reset');
    // A reset that came in the same read is known by then, and the request costs nobody else anything.
    exchange.waiting = result.head;
    if (this.arrived.push(exchange) === 1) setImmediate(beginAll, this);
  }

  begin(): void {
    const { arrived } = this;
    this.arrived = [];
    for (const exchange of arrived) exchange.begin();
  }

  /** Who heeds the settings sends less; many clients do not look at them. */
  private validate(
    raw: readonly string[],
    size: number,
    ended: boolean,
  ): { failure: Http1Failure } | { failure: null; head: RequestHead } {
    if (size + (raw.length / 2) * FIELD_OVERHEAD > this.headBytes)
      return { failure: { status: 431, reason: 'a head that is too large' } };
    return validateH2RequestHead(raw, ended, MAX_FIELDS);
  }

  now(): number {
    return this.edge.now();
  }

  streamClosed(exchange: VisitorStream, aborted: boolean, code: number): void {
    this.exchanges.delete(exchange);
    this.streamErrors.streamClosed(code);
    if (aborted) this.chatter.reset(exchange.headBytes);
    else this.chatter.completed();
    this.watch.asked();
    if (this.session.closed && this.exchanges.size === 0) this.part();
  }

  private calmDown(what: string): void {
    if (this.session.destroyed) return;
    this.edge.log.warn({ client: this.requester.connection.clientAddr }, `HTTP/2 connection ended: too many ${what}`);
    this.cut(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  // What the watch finds.

  /** Nothing has been asked for a while. */
  idle(): void {
    this.drain();
  }

  /** A service has been silent for too long. */
  late(exchange: VisitorStream, pinged: boolean): void {
    if (pinged && exchange.mayBeSilent) exchange.quiet = 0;
    else exchange.late(fail(3005, { seconds: Math.round(this.edge.config.limits.idleMs / 1_000) }));
  }

  /** Any sign of life will do: it is told by bytes that come. */
  probe(): void {
    if (!this.session.destroyed) this.session.ping(ignore);
  }

  /** Nobody is there any more, and no event will ever say so. */
  vanished(): void {
    for (const exchange of this.exchanges) exchange.gone('client-gone');
    abort(this.socket);
  }

  private gone(): void {
    if (this.closed) return;
    this.closed = true;
    this.watch.stop();
    this.chatter.stop();
    this.streamErrors.stop();
    this.parting?.cancel();
    try {
      for (const exchange of this.exchanges) exchange.gone('client-gone');
    } finally {
      this.exchanges.clear();
      this.requester.close();
      this.group.remove(this);
    }
  }

  /** GOAWAY; streams under way are finished. */
  drain(): void {
    if (!this.session.closed && !this.session.destroyed) this.session.close();
    if (this.exchanges.size === 0) this.part();
  }

  destroy(reason = 'shutdown'): void {
    for (const exchange of this.exchanges) exchange.cut(reason);
    this.cut(constants.NGHTTP2_NO_ERROR);
  }

  /** @param code of the GOAWAY, and of the resets of what is under way */
  private cut(code: number): void {
    // Without an error the runtime sends 0, whatever code it is given.
    if (code === constants.NGHTTP2_NO_ERROR) this.session.destroy();
    else this.session.destroy(new Error('the connection is ended from our side'), code);
    this.part();
  }

  /** The session is ending; its socket does so, too, whatever the peer reads. */
  private part(): void {
    const { socket } = this;
    this.parting ??= this.guard.schedule(PARTING_MS, () => abort(socket));
  }
}

function beginAll(connection: Http2Connection): void {
  connection.begin();
}
