/**
 * HTTP/1 client codec on an agent stream. One object per stream; it serves one request at a time of one visitor
 * connection and one endpoint, and is kept between them (see kept.ts).
 */
import { fail } from '@postern/errors';
import {
  CHUNK_END,
  chunkHeader,
  createResponseParser,
  encodeTrailers,
  type Http1ResponseParser,
  LAST_CHUNK,
  MuxErrorCode,
  type MuxStream,
  type MuxStreamHandler,
  type RawFields,
  type ResponseHead,
} from '@postern/protocol';
import { partStream } from '../../agents/part-stream.ts';
import type { EdgeContext } from '../../context.ts';
import type { AgentUpstream } from '@postern/link';
import { isMarked } from './dial-failure.ts';
import { notTaken } from './not-taken.ts';
import { ResponseDraft } from '../exchange/message.ts';
import type { UpstreamFailure, UpstreamOwner } from '../exchange/ports.ts';
import { valueOf } from '../exchange/fields.ts';
import { prepareResponseFields } from '../exchange/prepared-fields.ts';
import { Pieces } from '../exchange/pieces.ts';
import { RESPONSE_NAMES } from '../exchange/settled-fields.ts';
import { type KeptUpstream, type KeptUpstreams, Turn } from './kept.ts';

/** Chunks up to this size are copied behind their header, so that a frame carries all of it. */
const SMALL_CHUNK = 16_384;

export class Http1Upstream implements KeptUpstream, MuxStreamHandler {
  readonly mayTrail = false;
  readonly endpointId: string;
  readonly upstream: AgentUpstream;
  readonly turn = new Turn(this);
  /** 0 = not kept. */
  expiresAt = 0;
  private readonly edge: EdgeContext;
  private readonly kept: KeptUpstreams;
  private readonly parser: Http1ResponseParser;
  stream: MuxStream | null = null;
  private exchange: UpstreamOwner | null = null;
  private switchHead: ResponseHead | null = null;
  private abandoned = false;
  private sawBytes = false;
  private requestDone = false;
  private chunked = false;
  private trailer: RawFields | null = null;
  /** The response so far allows another request behind it; how long by its Keep-Alive value. */
  private reusable = false;
  private keepAlive = '';
  /** Bytes received and not yet given back as credit. */
  private owed = 0;
  private flowing = true;
  private holding = false;
  private readonly stash = new Pieces();
  private endHeld = false;
  private finHeld = false;

  constructor(edge: EdgeContext, kept: KeptUpstreams, endpointId: string, upstream: AgentUpstream) {
    this.edge = edge;
    this.kept = kept;
    this.endpointId = endpointId;
    this.upstream = upstream;
    this.parser = createResponseParser(
      {
        onHead: (head) => this.head(head),
        onBody: (chunk, start, end) => this.responseBody(chunk, start, end),
        onTrailers: (fields) => this.exchange?.responseTrailers(fields),
        onEnd: () => this.responseEnd(),
      },
      { headBytes: edge.config.limits.headBytes },
      RESPONSE_NAMES,
    );
  }

  /** A request's head, as latin1 text: the first one is for `AgentStreams.open`. */
  begin(exchange: UpstreamOwner): string {
    const { request } = exchange;
    const { framing } = request;
    this.exchange = exchange;
    this.sawBytes = false;
    this.holding = false;
    this.endHeld = false;
    this.finHeld = false;
    this.flowing = true;
    this.reusable = false;
    this.trailer = null;
    this.requestDone = framing.kind === 'none';
    this.chunked = framing.kind === 'chunked';
    if (this.stream !== null) this.stream.narrow = false;
    this.parser.expect(request.method, request.upgrade !== '');
    return request.headText();
  }

  opened(stream: MuxStream): void {
    this.stream = stream;
  }

  /** A further request on the kept stream. */
  next(exchange: UpstreamOwner): void {
    this.stream?.write(this.begin(exchange));
  }

  get alive(): boolean {
    return this.stream?.writable === true;
  }

  // Upstream: what the exchange asks.

  body(chunk: Buffer, start: number, end: number): boolean {
    const { stream } = this;
    // A stream that takes nothing more has been reset or half-closed; nobody would say `drained`.
    if (stream === null || !stream.writable || start === end) return true;
    if (!this.chunked) return stream.writeShared(chunk.subarray(start, end));
    const size = chunkHeader(end - start);
    if (end - start > SMALL_CHUNK) {
      stream.write(Buffer.from(size, 'latin1'));
      stream.writeShared(chunk.subarray(start, end));
      return stream.write(CHUNK_END);
    }
    const framed = Buffer.allocUnsafe(size.length + end - start + 2);
    const at = framed.write(size, 0, 'latin1');
    chunk.copy(framed, at, start, end);
    framed.write('\r\n', framed.length - 2, 'latin1');
    return stream.write(framed);
  }

  trailers(fields: RawFields): void {
    this.trailer = fields;
  }

  end(): void {
    if (this.requestDone) return;
    this.requestDone = true;
    if (!this.chunked) return;
    this.stream?.write(this.trailer === null ? LAST_CHUNK : encodeTrailers(this.trailer));
  }

  visitorFinished(): void {
    this.requestDone = true;
    this.reusable = false;
    if (this.stream?.writable === true) this.stream.end();
  }

  pause(): void {
    this.flowing = false;
  }

  resume(): void {
    this.flowing = true;
    this.credit();
  }

  hold(): void {
    this.holding = true;
    this.parser.pause();
  }

  release(): void {
    if (!this.holding) return;
    this.holding = false;
    for (const chunk of this.stash.take()) {
      if (this.exchange !== null) this.feed(chunk);
    }
    if (this.endHeld) this.complete();
    this.credit();
    if (this.finHeld) this.onEnd();
  }

  narrow(): void {
    if (this.stream !== null) this.stream.narrow = true;
  }

  cancel(): void {
    this.exchange = null;
    this.kept.forget(this);
    // A service that has been told by FIN that its visitor sends no more, and went on, did not look.
    if (this.stream?.writable === false) this.stream.reset(MuxErrorCode.streamCancelled);
    else this.abandon();
  }

  // MuxStreamHandler: what the agent does.

  onData(chunk: Buffer): void {
    this.owed += chunk.length;
    if (this.exchange === null) {
      this.unasked();
      return;
    }
    this.sawBytes = true;
    if (this.holding) {
      this.stash.add(chunk, 0, chunk.length);
      return;
    }
    this.feed(chunk);
    this.credit();
  }

  onEnd(): void {
    const { exchange } = this;
    if (exchange === null) {
      this.kept.forget(this);
      this.abandon();
      return;
    }
    if (this.holding) {
      this.finHeld = true;
      return;
    }
    this.reusable = false;
    this.parser.finish();
    if (this.parser.failure !== null) this.broken();
  }

  onReset(code: number): void {
    this.kept.forget(this);
    const { exchange } = this;
    if (exchange === null) return;
    this.exchange = null;
    exchange.upstreamFailed(this.resetFailure(code));
  }

  onDrain(): void {
    this.exchange?.upstreamDrained();
  }

  onFault(): void {
    this.kept.forget(this);
    this.kept.guard.end();
  }

  // What the parser finds.

  private feed(chunk: Buffer): void {
    const { exchange, parser } = this;
    let at = 0;
    while (at < chunk.length) {
      at = parser.execute(chunk, at, chunk.length);
      if (parser.failure !== null) return this.broken();
      if (parser.switched) return this.switchProtocols(at < chunk.length ? chunk.subarray(at) : null);
      if (this.exchange !== exchange) {
        if (at < chunk.length) this.unasked();
        return;
      }
      if (this.holding) {
        if (at < chunk.length) this.stash.add(chunk, at, chunk.length);
        return;
      }
    }
  }

  private head(head: ResponseHead): void {
    const { exchange } = this;
    if (exchange === null) return;
    if (head.status === 101) {
      this.switchHead = head;
      return;
    }
    const plain = head.lines?.plain === true;
    const dialFailed = !plain && head.status === 502 && isMarked(head.fields);
    this.keepAlive = plain ? (head.lines?.keepAlive ?? '') : prepareResponseFields(head.fields);
    if (head.status < 200) {
      if (plain) prepareResponseFields(head.fields);
      exchange.informational(head.status, head.reason, head.fields);
      return;
    }
    this.reusable = head.keepAlive;
    exchange.responseHead(new ResponseDraft(head, dialFailed));
  }

  private responseBody(chunk: Buffer, start: number, end: number): void {
    if (this.exchange !== null && !this.exchange.responseBody(chunk, start, end)) this.flowing = false;
  }

  /** A message without body ends in the same call as its head, even while it is held. */
  private responseEnd(): void {
    if (this.holding) this.endHeld = true;
    else this.complete();
  }

  private complete(): void {
    const { exchange } = this;
    if (exchange === null) return;
    this.exchange = null;
    this.flowing = true;
    // Kept before the exchange ends: the visitor's next, pipelined request starts inside that call.
    if (!this.reusable || !this.requestDone || !this.alive || !this.kept.keep(this, this.keepAlive)) this.abandon();
    exchange.responseEnd();
  }

  private switchProtocols(rest: Buffer | null): void {
    const { exchange, stream, switchHead } = this;
    if (exchange === null || stream === null || switchHead === null) return;
    this.exchange = null;
    this.stream = null;
    const protocol = valueOf(switchHead.fields, 'upgrade') ?? switchHead.upgrade;
    prepareResponseFields(switchHead.fields);
    switchHead.fields.push('Connection', 'Upgrade', 'Upgrade', protocol);
    // Credit for what is behind the head is given by whoever takes it.
    stream.consume(this.owed - (rest?.length ?? 0));
    this.owed = 0;
    exchange.switchProtocols(switchHead.reason, switchHead.fields, stream, rest);
  }

  private credit(): void {
    if (!this.flowing || this.holding || this.owed === 0) return;
    this.stream?.consume(this.owed);
    this.owed = 0;
  }

  // Failures and ends.

  /** Bytes that nothing asked for: on a kept stream, behind a response, or after our FIN. */
  private unasked(): void {
    this.kept.forget(this);
    this.stream?.reset(MuxErrorCode.streamCancelled);
    const { exchange } = this;
    if (exchange === null) return;
    this.exchange = null;
    exchange.upstreamFailed(this.failure('idempotent', 'upstream-invalid', 'bytes came behind a complete response'));
  }

  private broken(): void {
    const { exchange, parser } = this;
    this.kept.forget(this);
    if (exchange === null) return;
    this.exchange = null;
    if (!this.sawBytes) {
      this.abandon();
      exchange.upstreamFailed(
        this.failure('idempotent', 'upstream-closed', 'it closed the connection without an answer'),
      );
      return;
    }
    this.stream?.reset(MuxErrorCode.streamCancelled);
    const { headBytes } = this.edge.config.limits;
    exchange.upstreamFailed(
      parser.failure?.status === 431
        ? { ...this.failure('none', 'upstream-invalid', ''), error: fail(90008, { limit: headBytes }) }
        : this.failure('none', 'upstream-invalid', parser.failure?.reason ?? 'it is not HTTP'),
    );
  }

  private resetFailure(code: number): UpstreamFailure {
    const { upstream } = this;
    const untouched = !this.sawBytes;
    if (untouched && (code === MuxErrorCode.acceptQueueFull || code === MuxErrorCode.streamRefused)) {
      return { upstream, error: fail(90012), reason: 'upstream-reset', retry: 'any' };
    }
    const refused = notTaken(upstream, code, this.edge.config.limits.queueMs);
    if (refused !== null) return refused;
    if (code === MuxErrorCode.sessionClosed || code === MuxErrorCode.peerEof) {
      const unsent = untouched && (this.stream?.unsent ?? 0) > 0;
      return {
        upstream,
        error: fail(3210),
        reason: 'agent-gone',
        retry: unsent ? 'any' : untouched ? 'idempotent' : 'none',
      };
    }
    return this.failure(untouched ? 'idempotent' : 'none', 'upstream-reset', 'the connection was reset');
  }

  private failure(retry: UpstreamFailure['retry'], reason: UpstreamFailure['reason'], detail: string): UpstreamFailure {
    return { upstream: this.upstream, error: fail(3004, { reason: detail }), reason, retry };
  }

  yieldPlace(): void {
    this.kept.forget(this);
    this.abandon();
  }

  abandon(): void {
    const { stream } = this;
    if (this.abandoned || stream === null || stream.closed) return;
    this.abandoned = true;
    stream.consume(this.owed);
    this.owed = 0;
    partStream(stream, this.edge.wheel);
  }
}
