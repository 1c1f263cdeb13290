/** One request on an HTTP/2 link: the client codec for `http2` upstreams. */
import { STATUS_CODES } from 'node:http';
import { constants, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import { fail } from '@postern/errors';
import type { AgentUpstream } from '@postern/link';
import { type RawFields, validateH2ResponseHead, validateH2Trailers } from '@postern/protocol';
import { ignore } from '../../connection/pipe.ts';
import { ResponseDraft } from '../exchange/message.ts';
import type { Upstream, UpstreamFailure, UpstreamOwner } from '../exchange/ports.ts';
import { removeField, valueOf } from '../exchange/fields.ts';
import { prepareResponseFields } from '../exchange/prepared-fields.ts';
import { Pieces } from '../exchange/pieces.ts';
import { endReset } from '../codec/http2-no-error.ts';
import { h2Block, h2Object, ordinaryFields } from '../codec/http2-fields.ts';
import type { UnreadPieces } from './unread-pieces.ts';
import type { Guard } from '../../guard.ts';
import type { NativeLife } from '../codec/http2-native-life.ts';

/** A request body up to this size is kept until the service answers, since it may refuse the request untouched. */
const KEPT_BYTES = 65_536;
/** Bytes that the service has not taken: past these the visitor waits. */
const HIGH_MARK = 16_384;

/** The connection that carries it. */
export interface Http2Carrier {
  readonly upstream: AgentUpstream;
  readonly session: ClientHttp2Session;
  readonly native: NativeLife;
  readonly unread: UnreadPieces;
  /** Of the visitor connection. */
  readonly guard: Guard;
  /** Whether the service has refused a request before it did anything for it, or never got it (RFC 9113 §8.7). */
  leftUntaken(stream: ClientHttp2Stream): boolean;
  /** Whether the service has ended the answer itself, and not broken it off. Asked once. */
  ended(stream: ClientHttp2Stream): boolean;
  /** What a request is told that ended without an answer. */
  failure(exchange: UpstreamOwner, untouched: boolean): UpstreamFailure;
  /** One of its streams is over. @param code of its end */
  streamClosed(code: number): void;
  /** A request on it is over. */
  done(): void;
}

export class Http2Upstream implements Upstream {
  readonly mayTrail = true;
  private readonly link: Http2Carrier;
  private exchange: UpstreamOwner | null;
  private stream: ClientHttp2Stream | null = null;
  private trailer: RawFields | null = null;
  private answered = false;
  private endSeen = false;
  /** Bytes of the body that are announced and have not come; -1 = nothing was announced. */
  private missing = -1;
  /** The link has been told that it is over. */
  private over = false;
  /** The body so far; null when it is too large, or not needed any more. */
  private kept: Pieces | null = new Pieces();
  /** A write is under way, and what has come behind it: one write again, as a visitor's frames may be of a byte each. */
  private writing = false;
  private readonly behind = new Pieces();
  /** The visitor has been told to wait; the request has ended. */
  private full = false;
  private ending = false;
  private readonly onWritten = (): void => this.link.guard.call(Http2Upstream.wrote, this);
  /** What follows the head waits for `release`, and its end has come. */
  private holding = false;
  private endHeld = false;

  constructor(link: Http2Carrier, exchange: UpstreamOwner) {
    this.link = link;
    this.exchange = exchange;
  }

  start(): void {
    const { exchange } = this;
    if (exchange === null) return;
    const { method, target, fields, framing, scheme, authority } = exchange.request;
    const block = h2Block(
      [':method', method, ':scheme', scheme, ':authority', valueOf(fields, 'host') ?? authority, ':path', target],
      fields,
    );
    // Trailers are relayed, whatever the visitor's version; gRPC services ask for this word.
    block.push('te', 'trailers');
    const endStream = framing.kind === 'none';
    const stream = this.link.session.request(block, { endStream, waitForTrailers: framing.kind === 'chunked' });
    this.stream = stream;
    const { guard } = this.link;
    stream.on('continue', () => guard.call(Http2Upstream.continued, this));
    stream.on('headers', (headers, _flags, raw: readonly string[]) =>
      guard.run(() => this.informational(headers, raw)),
    );
    stream.on('response', (_headers, flags, raw: readonly string[]) => guard.run(() => this.response(flags, raw)));
    stream.on('trailers', (_headers, _flags, raw: readonly string[]) => guard.run(() => this.responseTrailers(raw)));
    stream.on('wantTrailers', () => guard.call(Http2Upstream.trailersWanted, this));
    stream.on('error', ignore);
    stream.on('end', () => {
      // A session that is destroyed ends its streams as if END_STREAM had come.
      if (this.link.session.destroyed) return;
      this.endSeen = true;
      // Trailers are told a tick after the end of the body.
      process.nextTick(() => guard.call(Http2Upstream.ended, this));
    });
    stream.on('close', () => guard.call(Http2Upstream.gone, this));
  }

  private static readonly continued = (one: Http2Upstream): void => one.exchange?.informational(100, 'Continue', []);
  private static readonly wrote = (one: Http2Upstream): void => one.written();
  private static readonly trailersWanted = (one: Http2Upstream): void => one.sendTrailers();
  private static readonly ended = (one: Http2Upstream): void => one.bodyEnded();
  private static readonly gone = (one: Http2Upstream): void => one.closed();
  private static readonly left = (one: Http2Upstream): void => one.link.guard.call(Http2Upstream.leave, one);

  // Upstream.

  body(chunk: Buffer, start: number, end: number): boolean {
    const { stream } = this;
    if (stream === null || stream.destroyed) return true;
    this.kept?.add(chunk, start, end);
    if (this.kept !== null && this.kept.bytes > KEPT_BYTES) this.kept = null;
    if (this.writing) this.behind.add(chunk, start, end);
    else this.write(stream, Buffer.from(chunk.subarray(start, end)));
    if (stream.writableLength + this.behind.bytes > HIGH_MARK) this.full = true;
    return !this.full;
  }

  private write(stream: ClientHttp2Stream, bytes: Buffer): void {
    this.writing = true;
    stream.write(bytes, this.onWritten);
  }

  private written(): void {
    const { stream } = this;
    this.writing = false;
    if (stream === null || stream.destroyed) return;
    if (this.behind.bytes > 0) {
      this.write(stream, Buffer.concat(this.behind.take()));
      if (this.ending) stream.end();
    } else if (this.full) {
      this.full = false;
      this.exchange?.upstreamDrained();
    }
  }

  trailers(fields: RawFields): void {
    this.trailer = fields;
  }

  end(): void {
    this.ending = true;
    // Behind a write that is under way, so that its last frame says so.
    if (this.behind.bytes === 0 && this.stream?.writableEnded === false) this.stream.end();
  }

  visitorFinished(): void {
    // Other requests of the visitor share the connection: its end is not theirs.
  }

  pause(): void {
    this.link.unread.waits(this.stream?.id);
    this.stream?.pause();
  }

  resume(): void {
    this.stream?.resume();
  }

  hold(): void {
    this.holding = true;
    this.pause();
  }

  release(): void {
    this.holding = false;
    this.stream?.resume();
    if (this.endHeld) this.finish();
  }

  cancel(): void {
    if (this.exchange === null) return;
    this.exchange = null;
    // One that has been reset, and is not read to its end, has nothing to wait for.
    if (this.stream?.closed === true) this.stream.destroy();
    else this.stream?.close(constants.NGHTTP2_CANCEL);
    // One that the service's limits have not let begin never closes of itself.
    process.nextTick(Http2Upstream.left, this);
  }

  private static readonly leave = (one: Http2Upstream): void => {
    if (one.over) return;
    one.over = true;
    one.link.done();
  };

  // From the service.

  private informational(headers: IncomingHttpHeaders, raw: readonly string[]): void {
    const status = Number(headers[':status']);
    const fields = ordinaryFields(raw);
    prepareResponseFields(fields);
    if (status > 100 && status < 200) this.exchange?.informational(status, '', fields);
  }

  private response(flags: number, raw: readonly string[]): void {
    const { exchange } = this;
    if (exchange === null) return;
    const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const result = validateH2ResponseHead(raw, ended, exchange.request.method);
    if (result.failure !== null) {
      this.exchange = null;
      this.stream?.close(constants.NGHTTP2_PROTOCOL_ERROR);
      const { upstream } = this.link;
      const error = fail(3004, { reason: result.failure.reason });
      exchange.upstreamFailed({ upstream, error, reason: 'upstream-invalid', retry: 'none' });
      return;
    }
    this.answered = true;
    this.kept = null;
    this.read();
    const { status, fields } = result.head;
    let { framing } = result.head;
    prepareResponseFields(fields);
    if (framing.kind === 'length') this.missing = framing.length;
    if (!ended && framing.kind === 'length' && framing.length === 0) {
      // Trailers follow an empty body; a length of 0 would make the head all of the answer.
      removeField(fields, 'content-length');
      framing = { kind: 'chunked' };
    }
    exchange.responseHead(new ResponseDraft({ status, reason: STATUS_CODES[status] ?? '', fields, framing }, false));
  }

  /** From the head on: body bytes can be there in the same tick, before the head has been told. */
  private read(): void {
    const { stream } = this;
    if (stream === null) return;
    stream.on('data', (chunk: Buffer) => this.bodyCame(stream, chunk));
  }

  private bodyCame(stream: ClientHttp2Stream, chunk: Buffer): void {
    this.link.unread.taken(stream.id);
    if (this.missing > 0) this.missing -= chunk.length;
    try {
      if (this.exchange !== null && !this.exchange.responseBody(chunk, 0, chunk.length)) this.pause();
    } catch (error) {
      this.link.guard.fault(error);
    }
  }

  private bodyEnded(): void {
    this.responseEnd();
    endReset(this.stream);
  }

  private responseTrailers(raw: readonly string[]): void {
    const result = validateH2Trailers(raw);
    if (result.failure === null) this.exchange?.responseTrailers(result.fields);
  }

  private responseEnd(): void {
    const { exchange, stream } = this;
    if (exchange === null || !this.answered || stream?.rstCode !== constants.NGHTTP2_NO_ERROR) return;
    // Behind a reset in the same read the runtime does not look at the length.
    if (this.endHeld || !this.link.ended(stream) || this.missing > 0) return;
    // The end of a head without a body comes however the stream is paused.
    if (this.holding) this.endHeld = true;
    else this.finish();
  }

  private finish(): void {
    const { exchange, stream } = this;
    this.exchange = null;
    this.endHeld = false;
    if (exchange === null) return;
    // An answer before the end of the request: the rest of it is not wanted.
    if (!exchange.requestEnded) stream?.close(constants.NGHTTP2_CANCEL);
    exchange.responseEnd();
  }

  private sendTrailers(): void {
    if (this.stream === null || this.stream.destroyed) return;
    this.stream.sendTrailers(this.trailer === null ? {} : h2Object(this.trailer));
  }

  private closed(): void {
    const { stream, link } = this;
    // A session that is destroyed ends its streams as if END_STREAM had come.
    const whole = this.endSeen && stream?.rstCode === constants.NGHTTP2_NO_ERROR && !link.session.destroyed;
    if (!whole && stream !== null) link.native.outlive(stream);
    link.unread.forget(stream?.id);
    link.streamClosed(stream?.rstCode ?? 0);
    Http2Upstream.leave(this);
    if (this.endSeen) this.responseEnd();
    const { exchange } = this;
    if (exchange === null || this.endHeld) return;
    this.exchange = null;
    const failure = link.failure(exchange, !this.answered);
    const untaken = !this.answered && stream !== null && link.leftUntaken(stream);
    exchange.upstreamFailed(untaken ? { ...failure, retry: 'any', body: this.kept?.take() ?? null } : failure);
  }
}
