/**
 * HTTP/2 front: a `node:http2` session on a visitor's TLS socket. Each stream becomes an exchange after its head has
 * passed the rules of HTTP/1 heads. What a hostile peer could do without end (resets, pings, settings) has a budget.
 */
import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { type RequestHead, validateH2RequestHead } from '@postern/protocol';
import { ignore } from '../connection/pipe.ts';
import type { EdgeContext, TimerHandle, VisitorConnection } from '../context.ts';
import type { HttpConnection, HttpConnections } from './connections.ts';
import { Budget } from './budget.ts';
import { Http2Chatter } from './http2-chatter.ts';
import { Http2Exchange } from './http2-exchange.ts';
import type { Pipeline } from './pipeline.ts';
import { Visitor } from './visitor.ts';

const MAX_STREAMS = 100;
/** Per stream; the sum over all streams is bounded by the session's memory. */
const WINDOW_BYTES = 262_144;
const SESSION_MEMORY_MB = 64;
const MAX_FIELDS = 1_000;
/** For GOAWAY and what was said before it; a peer that does not read would hold a closed session open for ever. */
const PARTING_MS = 1_000;

export class Http2Visitor implements HttpConnection {
  readonly edge: EdgeContext;
  readonly pipeline: Pipeline;
  readonly visitor: Visitor;
  private readonly group: HttpConnections;
  private readonly session: ServerHttp2Session;
  private readonly idle: TimerHandle;
  private readonly exchanges = new Set<Http2Exchange>();
  private readonly resets: Budget;
  private readonly controls: Budget;
  private readonly chatter: Http2Chatter;
  private parting: TimerHandle | null = null;
  private closed = false;

  constructor(edge: EdgeContext, group: HttpConnections, pipeline: Pipeline, connection: VisitorConnection) {
    this.edge = edge;
    this.group = group;
    this.pipeline = pipeline;
    this.visitor = new Visitor(edge, group.kept, connection);
    this.resets = new Budget(edge.now, 200, 20);
    this.controls = new Budget(edge.now, 200, 10);
    this.session = performServerHandshake(connection.socket, {
      settings: {
        maxConcurrentStreams: MAX_STREAMS,
        initialWindowSize: WINDOW_BYTES,
        maxHeaderListSize: edge.config.limits.headBytes,
        enableConnectProtocol: false,
      },
      maxSessionMemory: SESSION_MEMORY_MB,
      maxHeaderListPairs: MAX_FIELDS + 8,
      // The default of 64 KiB would end the connection at heads that our own limit lets pass.
      maxSendHeaderBlockLength: edge.config.limits.headBytes + 32_768,
      maxSettings: 32,
      maxSessionInvalidFrames: 100,
      maxSessionRejectedStreams: 100,
    });
    this.idle = edge.wheel.schedule(edge.config.limits.idleMs, () => this.idled());
    this.chatter = new Http2Chatter(
      edge.wheel,
      () => connection.socket.bytesRead,
      () => this.calmDown('frames without purpose'),
    );
  }

  start(): void {
    this.session.on('stream', (stream, _headers, flags, raw) => this.request(stream, flags, raw));
    this.session.on('ping', () => this.control());
    this.session.on('remoteSettings', () => this.settings());
    this.session.on('error', ignore);
    this.session.on('close', () => this.gone());
    // The socket may be half-closed, and no HTTP/2 client uses that: a FIN means that nobody is there any more.
    this.visitor.connection.socket.on('end', () => this.destroy('client-gone'));
    this.session.setLocalWindowSize(WINDOW_BYTES * 4);
    if (this.visitor.connection.socket.destroyed) this.gone();
  }

  /** Bytes of a request's body have come. */
  bodyCame(bytes: number): void {
    this.idle.refresh();
    this.chatter.body(bytes);
  }

  /** Bytes of an answer's body have left. */
  bodyLeft(bytes: number): void {
    this.idle.refresh();
    this.chatter.answered(bytes);
  }

  private request(stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    this.idle.refresh();
    const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const result = validateH2RequestHead(raw, ended, MAX_FIELDS);
    const exchange = new Http2Exchange(this, stream);
    this.exchanges.add(exchange);
    if (result.failure !== null) return exchange.refuse(result.failure);
    this.chatter.head(raw);
    // More than may be open at once: the others have been reset, and their ends have not been told yet.
    if (this.exchanges.size > MAX_STREAMS * 2) return this.calmDown('requests that were reset');
    // A reset that came in the same read is known by then, and the request costs nobody else anything.
    setImmediate(begin, exchange, result.head);
  }

  /** @param aborted by the visitor, before its answer was complete */
  streamClosed(exchange: Http2Exchange, aborted: boolean): void {
    this.exchanges.delete(exchange);
    if (this.group.draining && this.exchanges.size === 0) this.part();
    if (aborted && !this.resets.spend()) this.calmDown('resets');
  }

  /** Pings cost an answer each; beside live streams they belong to flow measurement and keep-alive. */
  private control(): void {
    this.idle.refresh();
    if (this.exchanges.size === 0 && !this.controls.spend()) this.calmDown('pings');
  }

  /** Nobody has reason to change settings often, whatever else goes on. */
  private settings(): void {
    this.idle.refresh();
    if (!this.controls.spend()) this.calmDown('settings');
  }

  private calmDown(what: string): void {
    if (this.session.destroyed) return;
    this.edge.log.warn({ client: this.visitor.connection.clientAddr }, `HTTP/2 connection ended: too many ${what}`);
    this.cut(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  private idled(): void {
    if (this.exchanges.size > 0) return this.destroy('idle');
    this.session.close();
    this.part();
  }

  private gone(): void {
    if (this.closed) return;
    this.closed = true;
    this.idle.cancel();
    this.chatter.stop();
    this.parting?.cancel();
    for (const exchange of this.exchanges) exchange.gone('client-gone');
    this.exchanges.clear();
    this.visitor.close();
    this.group.remove(this);
  }

  /** GOAWAY; streams under way are finished. */
  drain(): void {
    if (!this.session.closed && !this.session.destroyed) this.session.close();
    if (this.exchanges.size === 0) this.part();
  }

  destroy(reason = 'shutdown'): void {
    for (const exchange of this.exchanges) exchange.gone(reason);
    this.cut(constants.NGHTTP2_NO_ERROR);
  }

  private cut(code: number): void {
    this.session.destroy(undefined, code);
    this.part();
  }

  /** The session is ending; its socket does so, too, whatever the peer reads. */
  private part(): void {
    const { socket } = this.visitor.connection;
    this.parting ??= this.edge.wheel.schedule(PARTING_MS, () => socket.destroy());
  }
}

function begin(exchange: Http2Exchange, head: RequestHead): void {
  exchange.begin(head);
}
