/** One HTTP/2 stream of a visitor as the downstream of an exchange. */
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { PosternError } from '@postern/errors';
import {
  type Http1Failure,
  MuxErrorCode,
  type MuxStream,
  type RawFields,
  type RequestHead,
  validateH2Trailers,
} from '@postern/protocol';
import { ignore } from '../../connection/pipe.ts';
import type { Guard } from '../../guard.ts';
import type { NativeLife } from '../codec/http2-native-life.ts';
import type { Requester } from '../exchange/requester.ts';
import { SocketWriter, type SocketWriterOwner } from '@postern/sockets';
import { Exchange, type VisitorStages } from '../exchange/exchange.ts';
import type { ResponseDraft } from '../exchange/message.ts';
import type { Downstream } from '../exchange/ports.ts';
import { hasNoBody, sizeOf, valueOf } from '../exchange/fields.ts';
import { endReset } from '../codec/http2-no-error.ts';
import { h2Block, h2Object } from '../codec/http2-fields.ts';
import type { Http2Chatter } from './http2-chatter.ts';
import type { Watched } from './http2-watch.ts';
import { refusalError, renderPage } from '../answers/pages.ts';

/** Bytes that the stream has not taken: past the first the source pauses, below the second it goes on. */
const HIGH_MARK = 131_072;
const LOW_MARK = 65_536;

/**
 * Beyond these, clients of nghttp2 end the connection: a head has HEADERS and eight CONTINUATIONs of the size that every
 * peer takes, and a name or value 64 KiB. Each field costs twelve bytes at most on top, and pseudo fields have room.
 */
const MOST_BLOCK_BYTES = 9 * 16_384 - 1_024;
const FIELD_BYTES = 12;
const MOST_TEXT_BYTES = 65_536;

const HEAD_ALONE = { endStream: true };
const WITH_TRAILERS = { waitForTrailers: true };

/** The connection that carries it. */
export interface StreamOwner {
  readonly requester: Requester;
  readonly guard: Guard;
  readonly stages: VisitorStages;
  readonly chatter: Http2Chatter;
  readonly native: NativeLife;
  /** Largest head; less is advertised. */
  readonly headBytes: number;
  /** Unix milliseconds. */
  now(): number;
  /**
   * @param aborted before its answer was complete, by the visitor or for a mistake of its
   * @param code of its end
   */
  streamClosed(stream: VisitorStream, aborted: boolean, code: number): void;
  destroy(reason: string): void;
}

export class VisitorStream implements Downstream, SocketWriterOwner, Watched {
  /** What the head has brought in the account of the connection. */
  readonly headBytes: number;
  quiet = 0;
  stalled = 0;
  /** Its head, until it begins. */
  waiting: RequestHead | null = null;
  private readonly owner: StreamOwner;
  private readonly stream: ServerHttp2Stream;
  /** Pooled memory for the response: a buffer per piece would cost a full collection every 64 MiB (slab-reader.ts). */
  private readonly writer: SocketWriter;
  private exchange: Exchange | null = null;
  /** Of the response. */
  private trailer: RawFields | null = null;
  /** Of the request: told when they come, which may be long before the body has been read. */
  private requestTrailer: RawFields | null = null;
  /** Of the request; an empty body ends even while nobody reads it. */
  private endSeen = false;
  private whole: boolean;
  private bodiless = false;
  private blocked = false;
  /** By us: the answer is complete, or was cut. */
  private ended = false;

  /** @param ended by its head */
  constructor(owner: StreamOwner, stream: ServerHttp2Stream, headBytes: number, ended: boolean) {
    this.owner = owner;
    this.stream = stream;
    this.whole = ended;
    this.headBytes = headBytes;
    this.writer = new SocketWriter(stream, this);
    stream.on('error', ignore);
    stream.on('aborted', () => this.owner.guard.call(VisitorStream.aborted, this));
    stream.on('close', () => this.owner.guard.call(VisitorStream.closed, this));
    if (ended) {
      this.endSeen = true;
      stream.on('end', onEmptyEnd);
      return;
    }
    stream.on('end', () => {
      this.endSeen = true;
      // Of a stream that is closed already it need not be END_STREAM that has come.
      this.whole = this.open;
      // Trailers can be told a tick after the end of the body.
      process.nextTick(() => this.owner.guard.call(VisitorStream.requestEnded, this));
      endReset(stream);
    });
    stream.on('trailers', (_headers: unknown, _flags: number, raw: readonly string[]) =>
      owner.guard.run(() => this.requestTrailers(raw)),
    );
  }

  /** A stream that the peer has reset is `closed` and not yet `destroyed`; what is asked of it then throws. */
  private get open(): boolean {
    return !this.stream.closed && !this.stream.destroyed;
  }

  private static readonly aborted = (one: VisitorStream): void => one.aborted();
  private static readonly closed = (one: VisitorStream): void => one.closed();
  private static readonly requestEnded = (one: VisitorStream): void => one.requestEnd();
  private static readonly trailersWanted = (one: VisitorStream): void => one.sendTrailers();

  fault(error: unknown): void {
    this.owner.guard.fault(error);
  }

  /** With what `waiting` says. */
  begin(): void {
    const head = this.waiting;
    this.waiting = null;
    if (head === null) return;
    try {
      this.start(head);
    } catch (error) {
      this.owner.guard.fault(error);
    }
  }

  private start(head: RequestHead): void {
    const { owner, stream } = this;
    if (!this.open) return;
    const exchange = new Exchange(owner.requester, this, owner.stages, head, 'HTTP/2.0', owner.now());
    this.exchange = exchange;
    if (head.framing.kind !== 'none') {
      stream.on('data', (chunk: Buffer) => this.bodyCame(chunk));
      stream.pause();
    }
    if (this.endSeen) this.requestEnd();
    owner.stages.begin(exchange);
  }

  private bodyCame(chunk: Buffer): void {
    const { exchange } = this;
    this.quiet = 0;
    this.owner.chatter.body(chunk.length);
    try {
      if (exchange?.finished === false) exchange.requestBody(chunk, 0, chunk.length);
    } catch (error) {
      this.owner.guard.fault(error);
    }
  }

  /** A head that no exchange may be made of. */
  refuse(failure: Http1Failure): void {
    const error = refusalError(failure, this.owner.headBytes);
    const page = renderPage(error, '', [], failure.status);
    this.ended = true;
    if (!this.open) return;
    this.stream.respond(h2Block([':status', String(page.status)], page.fields));
    this.stream.end(page.body);
    this.stream.resume();
  }

  private requestTrailers(raw: readonly string[]): void {
    const result = validateH2Trailers(raw);
    if (result.failure === null) {
      this.requestTrailer = result.fields;
      return;
    }
    // Before the end of the body is told, or the service would take the request for complete.
    this.exchange?.visitorGone('client-invalid');
    this.stream.close(constants.NGHTTP2_PROTOCOL_ERROR);
  }

  private requestEnd(): void {
    const { exchange, requestTrailer } = this;
    if (exchange === null || exchange.requestEnded) return;
    if (requestTrailer !== null) exchange.requestTrailers(requestTrailer);
    exchange.requestEnd();
  }

  // Downstream.

  carries({ fields }: { readonly fields: RawFields }): boolean {
    const size = sizeOf(fields);
    if (size + (fields.length / 2) * FIELD_BYTES > MOST_BLOCK_BYTES) return false;
    return size <= MOST_TEXT_BYTES || fields.every((text) => text.length <= MOST_TEXT_BYTES);
  }

  informational(status: number, _reason: string, fields: RawFields): void {
    if (!this.open || this.stream.headersSent || !this.carries({ fields })) return;
    this.quiet = 0;
    this.stream.additionalHeaders({ ':status': status, ...h2Object(fields) });
  }

  head({ status, fields, framing }: ResponseDraft): void {
    if (!this.open || this.stream.headersSent) return;
    this.quiet = 0;
    // An empty answer is its head alone: gRPC calls that fail at once carry their status there, and clients look for it
    // only in a head that ends the stream.
    const empty = framing.kind === 'length' && framing.length === 0;
    this.bodiless = empty || this.exchange?.request.method === 'HEAD' || hasNoBody(status);
    const block = h2Block([':status', String(status)], fields);
    const mayTrail = framing.kind === 'chunked' || this.exchange?.upstream?.mayTrail === true;
    if (this.bodiless) this.stream.respond(block, HEAD_ALONE);
    else if (!mayTrail) this.stream.respond(block);
    else {
      this.stream.on('wantTrailers', () => this.owner.guard.call(VisitorStream.trailersWanted, this));
      this.stream.respond(block, WITH_TRAILERS);
    }
  }

  body(chunk: Buffer, start: number, end: number): boolean {
    if (this.bodiless || start === end || !this.open) return true;
    this.quiet = 0;
    this.owner.chatter.answered(end - start);
    this.writer.write(chunk, start, end);
    // Told once, the source waits until it is told to go on; what it had under way then does not end that.
    if (this.writer.pending > HIGH_MARK) this.blocked = true;
    return !this.blocked;
  }

  onWritten(): void {
    this.quiet = 0;
    this.stalled = 0;
    if (!this.blocked || this.writer.pending > LOW_MARK) return;
    this.blocked = false;
    this.exchange?.downstreamDrained();
  }

  trailers(fields: RawFields): void {
    if (this.carries({ fields })) this.trailer = fields;
    else this.abort();
  }

  private sendTrailers(): void {
    if (!this.open) return;
    // Without trailers this ends the stream by an empty DATA frame; closing it would be a reset.
    this.stream.sendTrailers(this.trailer === null ? {} : h2Object(this.trailer));
  }

  end(): void {
    this.ended = true;
    const { stream, exchange } = this;
    if (!this.open) return;
    if (exchange?.requestEnded === false && !this.endSeen) {
      // The answer is complete before the request: what still comes is dropped, then the visitor is told to stop.
      if (stream.writableFinished) stream.close(constants.NGHTTP2_NO_ERROR);
      else stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR));
    }
    this.writer.end();
    this.writer.flush();
    stream.resume();
  }

  switchProtocols(_reason: string, _fields: RawFields, stream: MuxStream): void {
    // No HTTP/2 request asks for an upgrade, so an upstream cannot have accepted one.
    stream.reset(MuxErrorCode.streamCancelled);
    this.abort();
  }

  abort(): void {
    this.ended = true;
    if (!this.open) return;
    this.writer.flush();
    this.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  close(): void {
    this.owner.destroy('policy-close');
  }

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    this.stream.resume();
  }

  // Deadlines.

  get hasPending(): boolean {
    return this.writer.pending > 0 && this.open;
  }

  /** Silence is part of the work: an answer under way, or a call, which may have nothing to say for hours. */
  get mayBeSilent(): boolean {
    const { exchange } = this;
    if (exchange === null) return false;
    return (
      exchange.responding || valueOf(exchange.request.fields, 'content-type')?.startsWith('application/grpc') === true
    );
  }

  /** The service has been silent for too long. */
  late(error: PosternError): void {
    const { exchange } = this;
    this.quiet = 0;
    if (exchange === null || exchange.responding) this.cut('idle');
    else this.owner.stages.answerError(exchange, error);
  }

  // Ends.

  gone(reason: string): void {
    this.exchange?.visitorGone(reason);
  }

  /** Ends the stream from our side, so that nobody takes its answer for complete. */
  cut(reason: string): void {
    this.gone(reason);
    this.ended = true;
    this.writer.drop();
    if (this.open) this.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else this.stream.destroy();
  }

  /** The visitor has reset the stream, with whatever code; it closes only when its body has been read. */
  private aborted(): void {
    if (this.ended) return;
    this.writer.drop();
    this.gone('client-gone');
    this.stream.resume();
  }

  private closed(): void {
    if (!this.whole) this.owner.native.outlive(this.stream);
    this.writer.drop();
    this.gone('client-gone');
    this.owner.streamClosed(this, !this.ended, this.stream.rstCode ?? 0);
    // The stream may be garbage for a while before it is collected, and need not keep the request alive meanwhile.
    this.exchange = null;
  }
}

/** Of a request without a body. */
function onEmptyEnd(this: ServerHttp2Stream): void {
  endReset(this);
}
