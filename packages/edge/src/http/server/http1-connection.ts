/**
 * HTTP/1 server codec on a visitor's socket (plain or TLS). One object per connection: its handlers and its parser
 * serve request after request; pipelined requests wait their turn. Past 400 lines because socket, parser and exchange
 * call back into one state: cut apart, the halves would only pass that state to each other.
 */
import { fail, type PosternError } from '@postern/errors';
import {
  createRequestParser,
  encodeResponseHead,
  type Framing,
  type Http1Parser,
  type Http1Sink,
  MuxErrorCode,
  type MuxStream,
  type RawFields,
  type RequestHead,
} from '@postern/protocol';
import { ConnectionWatch, type WatchedFlow } from '../../connection/connection-watch.ts';
import { part } from '../../connection/part.ts';
import { abort } from '../../connection/abort.ts';
import { BytePipe, ignore } from '../../connection/pipe.ts';
import { readIntoSlab } from '../../connection/slab-reader.ts';
import { SocketWriter, type SocketWriterOwner } from '../../connection/socket-writer.ts';
import type { EdgeContext, TimerHandle, VisitorConnection } from '../../context.ts';
import { Guard } from '../../guard.ts';
import { type Downstream, Exchange } from '../exchange/exchange.ts';
import type { HttpConnection, HttpConnections } from './open-connections.ts';
import { HTTP1, leavesUnread } from './http1-limits.ts';
import { Http1Response } from './http1-response.ts';
import { refusalError, renderPage } from '../answers/pages.ts';
import type { Pipeline } from '../stages/pipeline.ts';
import { Requester } from '../exchange/requester.ts';

type State = 'open' | 'lingering' | 'piped' | 'closed';

export class Http1Connection
  implements Downstream, Http1Sink<RequestHead>, SocketWriterOwner, HttpConnection, WatchedFlow
{
  readonly carries = () => true;
  private readonly edge: EdgeContext;
  private readonly pipeline: Pipeline;
  private readonly group: HttpConnections;
  readonly guard: Guard;
  private readonly requester: Requester;
  readonly socket: VisitorConnection['socket'];
  private readonly parser: Http1Parser;
  private readonly writer: SocketWriter;
  private readonly response: Http1Response;
  private readonly watch: ConnectionWatch;
  private headDeadline: TimerHandle | null = null;
  private state: State = 'open';

  private exchange: Exchange | null = null;
  private pipe: BytePipe | null = null;
  private current: RequestHead | null = null;
  /** The request of `current` has been read to its end. */
  private requestRead = true;
  /** Its body is not wanted any more. */
  private drained = 0;
  private continued = false;
  /** No request follows this one. */
  private last = false;
  private blocked = false;

  /** Bytes that wait for their turn: of a body that is held, or of the next request. */
  private stash: Buffer | null = null;
  private feeding = false;
  private held = false;

  constructor(edge: EdgeContext, group: HttpConnections, pipeline: Pipeline, connection: VisitorConnection) {
    this.edge = edge;
    this.pipeline = pipeline;
    this.group = group;
    this.socket = connection.socket;
    this.guard = new Guard(edge.faults, edge.wheel, 'an HTTP/1 connection', () => abort(this.socket));
    this.requester = new Requester(edge, group.kept, connection, this.guard);
    this.parser = createRequestParser(this, { headBytes: edge.config.limits.headBytes });
    this.writer = new SocketWriter(this.socket, this);
    this.response = new Http1Response(this.writer);
    this.watch = new ConnectionWatch(this.guard, edge.config.limits, this);
  }

  /** @param head bytes of the visitor's that were read before */
  start(head: Buffer | null): void {
    this.watchHead();
    this.socket.on('end', this.onFin);
    this.socket.on('error', ignore);
    this.socket.on('close', this.onClose);
    if (head !== null && head.length > 0) this.onBytes(head, head.length);
    readIntoSlab(this.socket, this.onBytes);
    if (this.socket.destroyed) this.onClose();
    else if (this.stash === null) this.socket.resume();
  }

  // The socket.

  private readonly onBytes = (buffer: Buffer, length: number): void => {
    try {
      this.take(buffer, length);
    } catch (error) {
      this.guard.fault(error);
    }
  };

  private take(buffer: Buffer, length: number): void {
    if (this.state === 'piped') return;
    this.watch.moved();
    if (this.state === 'lingering') {
      this.drained += length;
      if (this.drained > HTTP1.lingerBytes) abort(this.socket);
      return;
    }
    if (this.stash !== null) {
      this.stash = Buffer.concat([this.stash, buffer.subarray(0, length)]);
      return;
    }
    this.feed(buffer, length, false);
  }

  /**
   * FIN: behind a complete request the answer is still due, to a visitor who goes on reading; who does that is told by
   * what is written in the next moment. Anywhere else the visitor is gone.
   */
  private readonly onFin = (): void => this.guard.run(this.fin);
  private readonly fin = (): void => {
    this.last = true;
    if (this.state !== 'open') return;
    if (this.exchange === null && this.requestRead) {
      this.shut();
      return;
    }
    if (!this.requestRead || this.exchange === null) {
      this.exchange?.visitorGone('client-gone');
      abort(this.socket);
      return;
    }
    if (!this.exchange.visitorHalfClosed()) return abort(this.socket);
    const written = this.socket.bytesWritten;
    this.guard.schedule(HTTP1.halfCloseMs, () => {
      if (this.state === 'open' && this.socket.bytesWritten === written) this.stalled();
    });
  };

  private readonly onClose = (): void => this.guard.run(this.closed);
  private readonly closed = (): void => {
    if (this.state === 'closed' || this.state === 'piped') return;
    this.state = 'closed';
    this.watch.cancel();
    this.headDeadline?.cancel();
    this.writer.drop();
    const { exchange } = this;
    this.exchange = null;
    try {
      exchange?.visitorGone('client-gone');
    } finally {
      this.requester.close();
      this.group.remove(this);
    }
  };

  fault(error: unknown): void {
    this.guard.fault(error);
  }

  onWritten(): void {
    this.watch.accepted();
    if (!this.blocked || this.writer.pending > HTTP1.lowMark) return;
    this.blocked = false;
    if (this.exchange === null) this.proceed();
    else this.exchange.downstreamDrained();
  }

  // Requests.

  /** @param owned the chunk is ours; else it is valid during the call only, and what has to wait is copied */
  private feed(chunk: Buffer, length: number, owned: boolean): void {
    this.feeding = true;
    let at = 0;
    while (at < length && this.state === 'open') {
      if (this.held || (this.requestRead && this.busy())) {
        const rest = chunk.subarray(at, length);
        this.stash = owned ? rest : Buffer.from(rest);
        this.socket.pause();
        break;
      }
      at = this.parser.execute(chunk, at, length);
      if (this.parser.failure !== null) {
        this.refuse();
        break;
      }
    }
    this.feeding = false;
    if (this.parser.inHead) this.watchHead();
  }

  /** The next request has to wait: for its turn, or until this visitor has read the answers before it. */
  private busy(): boolean {
    if (this.exchange !== null) return true;
    this.blocked = this.writer.pending > HTTP1.highMark;
    return this.blocked;
  }

  /** Goes on with what waits, then with the socket. */
  private proceed(): void {
    if (this.feeding || this.state !== 'open') return;
    const { stash } = this;
    if (stash !== null) {
      this.stash = null;
      this.feed(stash, stash.length, true);
      if (this.stash !== null || this.state !== 'open') return;
    }
    if (!this.held) this.socket.resume();
  }

  onHead(head: RequestHead): void {
    this.headDeadline?.cancel();
    this.headDeadline = null;
    this.current = head;
    this.requestRead = head.framing.kind === 'none';
    this.drained = 0;
    this.continued = false;
    this.last = this.last || !head.keepAlive || this.group.draining;
    const version = head.minor === 1 ? 'HTTP/1.1' : 'HTTP/1.0';
    const exchange = new Exchange(this.requester, this, this.pipeline, head, version, this.edge.now());
    this.exchange = exchange;
    this.pipeline.begin(exchange);
    if (!this.requestRead && !exchange.takesBody) {
      this.held = true;
      this.parser.pause();
    }
  }

  onBody(chunk: Buffer, start: number, end: number): void {
    if (this.exchange !== null && !this.exchange.finished) {
      this.exchange.requestBody(chunk, start, end);
      return;
    }
    this.drained += end - start;
    if (this.drained > HTTP1.drainBytes) this.shut();
  }

  onTrailers(fields: RawFields): void {
    this.exchange?.requestTrailers(fields);
  }

  onEnd(): void {
    this.requestRead = true;
    if (this.exchange !== null) this.exchange.requestEnd();
    else if (this.last) this.shut();
  }

  /** The parser gave up: what arrived is not HTTP, and nothing behind it can be trusted. */
  private refuse(): void {
    const { failure } = this.parser;
    if (failure === null) return;
    const { exchange } = this;
    this.exchange = null;
    exchange?.visitorGone('client-invalid');
    if (exchange?.responding === true) return abort(this.socket);
    const error = refusalError(failure, this.edge.config.limits.headBytes);
    this.answerAndShut(error, failure.status);
  }

  /** For failures that no exchange stands for. */
  private answerAndShut(error: PosternError, status: number): void {
    const page = renderPage(error, '', [['Connection', 'close']], status);
    this.writer.write(encodeResponseHead(page.status, error.title, page.fields));
    this.writer.write(page.body);
    this.shut();
  }

  // Downstream: the response.

  informational(status: number, reason: string, fields: RawFields): void {
    if (this.current?.minor !== 1) return;
    if (status === 100) this.continued = true;
    this.writer.write(encodeResponseHead(status, reason, fields));
  }

  head(status: number, reason: string, fields: RawFields, framing: Framing): void {
    const { current } = this;
    if (current === null) return;
    if (this.exchange?.closing === true || this.group.draining || this.leavesUnread(status)) this.last = true;
    this.response.head(current.minor, this.exchange?.method ?? '', status, reason, fields, framing, this.last);
  }

  private leavesUnread(status: number): boolean {
    const { current } = this;
    if (this.requestRead || current === null) return false;
    return leavesUnread(current, this.continued, status >= 400 || this.exchange?.localBody !== null);
  }

  body(chunk: Buffer, start: number, end: number): boolean {
    this.response.body(chunk, start, end);
    if (this.writer.pending <= HTTP1.highMark) return true;
    this.blocked = true;
    return false;
  }

  trailers(fields: RawFields): void {
    this.response.trailers(fields);
  }

  end(): void {
    this.response.end();
    this.exchange = null;
    this.blocked = false;
    if (this.last || this.drained > HTTP1.drainBytes) return this.shut();
    this.held = false;
    this.proceed();
  }

  switchProtocols(reason: string, fields: RawFields, stream: MuxStream, rest: Buffer | null): void {
    const { exchange, stash } = this;
    if (exchange === null || this.writer.pending > 0) return this.cannotSwitch(stream);
    this.state = 'piped';
    this.watch.cancel();
    this.socket.off('end', this.onFin);
    this.socket.off('close', this.onClose);
    this.socket.off('error', ignore);
    this.socket.write(encodeResponseHead(101, reason, fields));
    const pipe = new BytePipe(this.socket, this.edge, (ended, why) => {
      exchange.bytesIn += ended.bytesIn;
      exchange.bytesOut += ended.bytesOut;
      exchange.finish(why);
      this.group.pipes.remove(ended);
      this.requester.close();
      this.group.remove(this);
    });
    this.group.pipes.add(pipe, stream);
    this.pipe = pipe;
    pipe.start(stream, stash, rest);
    if (this.group.draining) pipe.retire();
  }

  /** Something before the 101 has not left yet: the visitor does not read. */
  private cannotSwitch(stream: MuxStream): void {
    stream.reset(MuxErrorCode.streamCancelled);
    this.exchange?.visitorGone('client-gone');
    abort(this.socket);
  }

  abort(): void {
    this.exchange = null;
    if (this.response.untilClose) abort(this.socket);
    else this.shut();
  }

  close(): void {
    this.exchange = null;
    this.socket.destroy();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.held = false;
    this.proceed();
  }

  // Deadlines and ends.

  private watchHead(): void {
    this.headDeadline ??= this.guard.schedule(this.edge.config.limits.requestHeadMs, () => this.headLate());
  }

  private headLate(): void {
    this.headDeadline = null;
    if (this.state !== 'open' || this.exchange !== null) return;
    // A connection opened ahead of need and never used is no error.
    if (this.parser.idle) this.shut();
    else {
      const seconds = Math.round(this.edge.config.limits.requestHeadMs / 1_000);
      this.answerAndShut(fail(90004, { seconds }), 408);
    }
  }

  // WatchedFlow.

  pending(): number {
    return this.writer.pending;
  }

  /** The visitor takes nothing of what waits for it: whoever is there could. */
  stalled(): void {
    this.exchange?.visitorGone('client-gone');
    abort(this.socket);
  }

  idle(): void {
    const { exchange } = this;
    if (exchange === null || exchange.responding) {
      exchange?.visitorGone('idle');
      if (exchange === null) this.shut();
      else abort(this.socket);
      return;
    }
    const seconds = Math.round(this.edge.config.limits.idleMs / 1_000);
    exchange.closing = true;
    this.pipeline.answerError(exchange, fail(3005, { seconds }));
  }

  /** FIN behind what is queued; what still arrives is dropped for a while, since a reset could overtake the answer. */
  private shut(): void {
    if (this.state !== 'open') return;
    this.state = 'lingering';
    this.drained = 0;
    this.stash = null;
    this.headDeadline?.cancel();
    this.requester.close();
    this.writer.end();
    this.writer.flush();
    const deadline = this.guard.schedule(HTTP1.lingerMs, () => abort(this.socket));
    this.socket.on('close', () => deadline.cancel());
    this.socket.resume();
    if (this.group.draining) part(this.socket, this.edge.wheel);
  }

  /** Takes no further request. */
  drain(): void {
    this.last = true;
    this.pipe?.retire();
    if (this.state === 'lingering') part(this.socket, this.edge.wheel);
    if (this.state !== 'open' || this.exchange !== null || this.stash !== null) return;
    if (this.current !== null && this.requestRead && this.parser.idle) return this.shut();
    // A request may be on its way: the first of a new connection, or one whose head has begun.
    this.headDeadline?.cancel();
    this.headDeadline = this.guard.schedule(HTTP1.arrivingMs, () => this.headLate());
  }

  destroy(): void {
    if (this.pipe !== null) this.pipe.destroy('shutdown');
    else {
      this.exchange?.visitorGone('shutdown');
      abort(this.socket);
    }
  }
}
