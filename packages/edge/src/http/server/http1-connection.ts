/**
 * HTTP/1 server codec on a visitor's socket (plain or TLS). One object per connection: its handlers and its parser
 * serve request after request; pipelined requests wait their turn.
 */
import { fail } from '@postern/errors';
import {
  encodeResponseHead,
  type Http1Failure,
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
import { SocketWriter, type SocketWriterOwner } from '@postern/sockets';
import type { EdgeContext, TimerHandle, VisitorConnection } from '../../context.ts';
import { Guard } from '../../guard.ts';
import { Exchange, type VisitorStages } from '../exchange/exchange.ts';
import type { ResponseDraft } from '../exchange/message.ts';
import type { Downstream } from '../exchange/ports.ts';
import type { HttpConnection, HttpConnections } from './open-connections.ts';
import { HTTP1, leavesUnread } from './http1-limits.ts';
import { Http1Moving } from './http1-moving.ts';
import { Http1Reader, type Http1ReaderOwner } from './http1-reader.ts';
import { Http1Response } from './http1-response.ts';
import { refusalError } from '../answers/pages.ts';
import { Requester } from '../exchange/requester.ts';

type State = 'open' | 'moving' | 'lingering' | 'piped' | 'closed';

export class Http1Connection implements Downstream, Http1ReaderOwner, SocketWriterOwner, HttpConnection, WatchedFlow {
  readonly carries = () => true;
  private readonly edge: EdgeContext;
  private readonly stages: VisitorStages;
  private readonly group: HttpConnections;
  readonly guard: Guard;
  private readonly requester: Requester;
  readonly socket: VisitorConnection['socket'];
  private readonly reader: Http1Reader;
  private readonly writer: SocketWriter;
  private readonly response: Http1Response;
  private readonly watch: ConnectionWatch;
  private readonly moving: Http1Moving | null;
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

  constructor(edge: EdgeContext, group: HttpConnections, stages: VisitorStages, connection: VisitorConnection) {
    this.edge = edge;
    this.stages = stages;
    this.group = group;
    this.socket = connection.socket;
    this.guard = new Guard(edge.faults, edge.wheel, 'an HTTP/1 connection', () => abort(this.socket));
    this.requester = new Requester(edge, group.kept, connection, this.guard);
    this.reader = new Http1Reader(this.socket, this, edge.config.limits.headBytes);
    this.writer = new SocketWriter(this.socket, this);
    this.response = new Http1Response(this.writer);
    this.watch = new ConnectionWatch(this.guard, edge.config.limits, this);
    this.moving = Http1Moving.of(edge.moves, connection, this.requester, (stays) => this.moved(stays));
  }

  /** @param head bytes of the visitor's that were read before @param kept another edge has answered it before */
  start(head: Buffer | null, kept = false): void {
    if (!kept) this.watchHead();
    this.socket.on('end', this.onFin);
    this.socket.on('error', ignore);
    this.socket.on('close', this.onClose);
    if (head !== null && head.length > 0) this.onBytes(head, head.length);
    readIntoSlab(this.socket, this.onBytes);
    if (this.socket.destroyed) this.onClose();
    else if (!this.reader.waiting) this.socket.resume();
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
    this.reader.take(buffer, length);
  }

  /**
   * FIN: behind a complete request the answer is still due, to a visitor who goes on reading; who does that is told by
   * what is written in the next moment. Anywhere else the visitor is gone.
   */
  private readonly onFin = (): void => this.guard.run(this.fin);
  private readonly fin = (): void => {
    this.last = true;
    if (this.state !== 'open') return;
    if (this.exchange === null && this.requestRead) return this.shut();
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
    if (this.exchange === null) this.reader.proceed();
    else this.exchange.downstreamDrained();
  }

  // Requests.

  get reading(): boolean {
    return this.state === 'open';
  }

  /** The next request has to wait: for its turn, or until this visitor has read the answers before it. */
  mustWait(): boolean {
    if (!this.requestRead) return false;
    if (this.exchange !== null) return true;
    this.blocked = this.writer.pending > HTTP1.highMark;
    return this.blocked;
  }

  fed(inHead: boolean): void {
    if (inHead) this.watchHead();
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
    const exchange = new Exchange(this.requester, this, this.stages, head, version, this.edge.now());
    this.exchange = exchange;
    this.stages.begin(exchange);
    if (!this.requestRead && !exchange.takesBody) this.reader.hold();
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

  refuse(failure: Http1Failure): void {
    const { exchange } = this;
    this.exchange = null;
    const responding = exchange?.responding === true;
    exchange?.visitorGone('client-invalid');
    if (responding) return abort(this.socket);
    this.response.page(refusalError(failure, this.edge.config.limits.headBytes), failure.status);
    this.shut();
  }

  // Downstream: the response.

  informational(status: number, reason: string, fields: RawFields): void {
    if (this.current?.minor !== 1) return;
    if (status === 100) this.continued = true;
    this.writer.write(encodeResponseHead(status, reason, fields));
  }

  head(draft: ResponseDraft): void {
    const { current } = this;
    if (current === null) return;
    const settled = draft.status >= 400 || this.exchange?.draft?.body !== null;
    const unread = !this.requestRead && leavesUnread(current, this.continued, settled);
    if (this.exchange?.closing === true || this.group.draining || unread) this.last = true;
    this.response.head(current.minor, this.exchange?.request.method ?? '', draft, this.last);
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
    const { exchange, moving } = this;
    this.response.end();
    this.exchange = null;
    this.blocked = false;
    if (this.last || this.drained > HTTP1.drainBytes) return this.shut();
    // Between two requests, with nothing read of the next and nothing unwritten.
    const between = this.requestRead && this.writer.pending === 0 && this.reader.untouched;
    if (moving !== null && exchange !== null && moving.leaves(exchange, between)) this.state = 'moving';
    else this.reader.release();
  }

  /** Another edge has it, and what closes is this one's hold on it; or it stays. */
  private moved(stays: boolean): void {
    if (this.state !== 'moving') return;
    if (!stays) return void this.socket.destroy();
    this.state = 'open';
    // As with a new connection, a request may be on its way.
    this.current = null;
    this.reader.release();
    if (this.group.draining) this.drain();
  }

  switchProtocols(reason: string, fields: RawFields, stream: MuxStream, rest: Buffer | null): void {
    const { exchange } = this;
    if (exchange === null) return stream.reset(MuxErrorCode.streamCancelled);
    this.state = 'piped';
    this.watch.cancel();
    this.socket.off('end', this.onFin);
    this.socket.off('close', this.onClose);
    this.socket.off('error', ignore);
    // A 1xx may have come with it, or the end of the answer before it may still be on its way.
    this.writer.handOver();
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
    pipe.start(stream, this.reader.surrender(), rest);
    if (this.group.draining) pipe.retire();
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
    this.reader.release();
  }

  // Deadlines and ends.

  private watchHead(): void {
    this.headDeadline ??= this.guard.schedule(this.edge.config.limits.requestHeadMs, () => this.headLate());
  }

  private headLate(): void {
    this.headDeadline = null;
    if (this.state !== 'open' || this.exchange !== null) return;
    // A connection opened ahead of need and never used is no error.
    if (this.reader.idle) this.shut();
    else {
      const seconds = Math.round(this.edge.config.limits.requestHeadMs / 1_000);
      this.response.page(fail(90004, { seconds }), 408);
      this.shut();
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
    if (exchange === null) return this.shut();
    if (exchange.responding) {
      exchange.visitorGone('idle');
      return abort(this.socket);
    }
    const seconds = Math.round(this.edge.config.limits.idleMs / 1_000);
    exchange.closing = true;
    this.stages.answerError(exchange, fail(3005, { seconds }));
  }

  /** FIN behind what is queued; what still arrives is dropped for a while, since a reset could overtake the answer. */
  private shut(): void {
    if (this.state !== 'open') return;
    this.state = 'lingering';
    this.drained = 0;
    this.reader.surrender();
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
    if (this.state !== 'open' || this.exchange !== null || this.reader.waiting) return;
    if (this.current !== null && this.requestRead && this.reader.idle) return this.shut();
    // A request may be on its way: the first of a new connection, or one whose head has begun.
    this.headDeadline?.cancel();
    this.headDeadline = this.guard.schedule(HTTP1.arrivingMs, () => this.headLate());
  }

  destroy(): void {
    if (this.pipe !== null) this.pipe.destroy('shutdown');
    else if (this.state === 'moving') this.socket.destroy();
    else {
      this.exchange?.visitorGone('shutdown');
      abort(this.socket);
    }
  }
}
