import { DataFlag, HEARTBEAT_TYPE, INITIAL_WINDOW, MAX_WINDOW, NUDGE_STREAM_ID } from './frame.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';
import { Leaving, type LeavingHost } from './leaving.ts';
import { type FrameListener, Output } from './output.ts';
import { LateBytes, LateCredit } from './late.ts';
import { Patience, PATIENCE } from './patience.ts';
import { RecentIds, REMEMBERED_RESETS } from './recent-ids.ts';
import { NO_HANDLER, Stream, type StreamHost } from './stream.ts';
import { MuxErrorCode } from './types.ts';
import type { MuxOptions, MuxSession, MuxSessionHandler, MuxStream, MuxStreamHandler } from './types.ts';

/** Opening a stream on a session that is over, or that has used up its ids. */
export class MuxSessionEnded extends Error {
  override readonly name = 'MuxSessionEnded';
}

const DEFAULT_INBOUND_STREAMS = 512;
const LARGEST_WINDOW = 16_777_216;
/** RST frames that may wait for a peer that makes us send them and does not read. */
const PENDING_RESETS = 4096;

/** Makes a session; see {@link MuxSession}. Sans I/O: nothing happens until `receive`, `open` or `pull` is called. */
export function createMuxSession(options: MuxOptions, handler: MuxSessionHandler): MuxSession {
  return new Session(options, handler);
}

class Session implements MuxSession, FrameSink, FrameListener, StreamHost, LeavingHost {
  readonly role: 'client' | 'server';
  ended = false;
  readonly leaving: Leaving;
  bytesReceived = 0;
  framesSent = 0;
  unanswered = false;
  readonly #handler: MuxSessionHandler;
  readonly #window: number;
  #maxInbound: number;
  readonly #nudges: boolean;
  readonly #reader: FrameReader;
  readonly #output = new Output();
  readonly #streams = new Map<number, Stream>();
  readonly #resetIds = new RecentIds(REMEMBERED_RESETS);
  readonly #drained: Stream[] = [];
  #inboundCount = 0;
  #nextId: number;
  #lastInboundId = 0;
  readonly #patience: Patience;
  readonly #lateCredit = new LateCredit();
  readonly #lateBytes = new LateBytes();
  /** No new streams: GOAWAY is queued. */
  #closing = false;
  /** `onOutput` was called and nobody has pulled dry since. */
  #announced = false;
  /** Inside `receive`: output is announced once, behind it, so that answers leave together. */
  #receiving = false;
  /** The stream of the DATA frame being read; undefined = skip its payload. */
  #target: Stream | undefined = undefined;
  #targetFin = false;

  constructor(options: MuxOptions, handler: MuxSessionHandler) {
    this.role = options.role;
    this.#handler = handler;
    this.#window = Math.min(LARGEST_WINDOW, Math.max(INITIAL_WINDOW, options.window ?? INITIAL_WINDOW));
    this.#maxInbound = options.maxInboundStreams ?? DEFAULT_INBOUND_STREAMS;
    this.#nudges = options.nudge ?? options.role === 'server';
    // Both SDK families skip id 1 (agent-protocol.md §2.2).
    this.#nextId = options.role === 'client' ? 3 : 2;
    this.#patience = new Patience(PATIENCE[options.role], options.now);
    this.leaving = new Leaving(this, options.now ?? (() => 0));
    this.#reader = new FrameReader(this);
  }

  get streamCount(): number {
    return this.#streams.size + this.leaving.size;
  }

  get idsLeft(): number {
    return Math.max(0, (NUDGE_STREAM_ID - this.#nextId) >>> 1);
  }

  countOf(type: number): number {
    let count = 0;
    for (const stream of this.#streams.values()) if (stream.type === type) count++;
    return count;
  }

  receive(chunk: Buffer, start = 0, end = chunk.length): void {
    if (this.ended) return;
    this.bytesReceived += end - start;
    this.unanswered = false;
    this.#receiving = true;
    try {
      this.#reader.read(chunk, start, end);
    } finally {
      this.#receiving = false;
    }
    this.#announce();
  }

  wireEnded(detail: string): void {
    this.#finish(MuxErrorCode.peerEof, detail, MuxErrorCode.peerEof);
  }

  pull(limit?: number): Buffer | undefined {
    const { early } = this.#output;
    this.framesSent += early.count;
    this.#patience.useful(early.count);
    if (early.asks) this.unanswered = true;
    const buffer = this.#output.next(this, limit);
    this.#announced = buffer !== undefined;
    if (this.#drained.length > 0) for (const stream of this.#drained.splice(0)) if (!stream.dead) stream.tellDrain();
    return buffer;
  }

  release(buffer: Buffer): void {
    this.#output.release(buffer);
  }

  open(type: number, handler: MuxStreamHandler, first?: Buffer): MuxStream {
    if (this.ended || this.#closing) throw new MuxSessionEnded('the session is over');
    if (this.idsLeft === 0) throw new MuxSessionEnded('the session has used up its stream ids');
    const stream = new Stream(this, this.#nextId, type, false, this.#window, handler);
    this.#nextId += 2;
    this.#streams.set(stream.id, stream);
    if (first === undefined) this.schedule(stream);
    else stream.write(first);
    return stream;
  }

  allowStreams(most: number): void {
    this.#maxInbound = most;
  }

  goAway(code: number, detail: string): void {
    if (this.ended || this.#closing) return;
    this.#closing = true;
    this.#output.goAway(this.#lastInboundId, code, detail);
    this.#announce();
  }

  destroy(code: number, detail: string): void {
    this.#finish(code, detail, MuxErrorCode.sessionClosed);
  }

  // What streams ask for, and what the output tells.

  frame(stream: Stream, chunk: Buffer): boolean {
    if (!this.#output.early.add(stream, chunk)) return false;
    this.#announce();
    return true;
  }

  schedule(stream: Stream): void {
    if (!stream.scheduled && stream.sendable) this.#output.schedule(stream);
    this.#announce();
  }

  grant(stream: Stream): void {
    this.#output.grant(stream);
    this.#announce();
  }

  resetByOwner(stream: Stream, code: number, behind = false): void {
    this.#abort(stream, code, behind);
    this.#announce();
  }

  over(stream: Stream): void {
    this.#handler.onStreamOver?.(stream);
  }

  wrote(stream: Stream): void {
    this.framesSent += 1;
    if (stream.type !== HEARTBEAT_TYPE) this.unanswered = true;
    if (stream.closed) this.#forget(stream);
    else if (stream.resetDue !== undefined) this.#abort(stream, stream.resetDue);
    else this.#patience.useful();
    if (stream.takeDrained()) this.#drained.push(stream);
  }

  resetLeaver(id: number): void {
    this.#sendReset(id, MuxErrorCode.streamCancelled, true);
    this.#announce();
  }

  // What the reader tells.

  dataHeader(streamId: number, length: number, flags: number): void {
    this.#target = undefined;
    this.#targetFin = (flags & DataFlag.fin) !== 0;
    let stream = this.#streams.get(streamId);
    if ((flags & DataFlag.syn) !== 0) {
      if (stream !== undefined) return this.#violation(MuxErrorCode.protocol, `SYN for the open stream ${streamId}`);
      stream = this.#accept(streamId);
      if (stream === undefined) return;
    }
    if (stream === undefined) {
      if (this.leaving.takes(streamId, length, this.#targetFin)) return;
      if (length > 0) this.#answerUnknown(streamId, length);
      // An empty FIN for a stream that is gone is normal.
      else if (!this.#targetFin) this.#useless();
      return;
    }
    if (stream.remoteEnded) {
      this.#useless();
      if (length > 0 && !this.ended) this.#breakStream(stream, MuxErrorCode.streamClosed);
      return;
    }
    if (length > stream.receiveWindow) return this.#breakStream(stream, MuxErrorCode.flowControl);
    if (length > 0) this.#patience.useful();
    else if (flags === 0) this.#useless();
    stream.receiveWindow -= length;
    this.#target = stream;
  }

  dataBytes(chunk: Buffer, start: number, end: number): void {
    const stream = this.#target;
    if (stream === undefined || stream.dead) return;
    let at = start;
    if (stream.typeBytesLeft > 0) {
      at = this.#readType(stream, chunk, start, end);
      if (stream.dead) return;
    }
    if (at === end) return;
    stream.delivered(end - at);
    stream.tellData(chunk.subarray(at, end));
  }

  dataEnd(): void {
    const stream = this.#target;
    this.#target = undefined;
    if (stream === undefined || stream.dead || !this.#targetFin) return;
    if (stream.typeBytesLeft > 0) return this.#abort(stream, MuxErrorCode.protocol);
    stream.remoteEnded = true;
    if (stream.closed) this.#forget(stream);
    stream.tellEnd();
  }

  reset(streamId: number, code: number): void {
    this.#useless();
    // The grant behind it, which wakes a writer, is no waste.
    this.#lateCredit.expect(1);
    if (this.ended) return;
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return this.leaving.letGo(streamId);
    this.#forget(stream);
    this.#kill(stream);
    if (stream.typeBytesLeft === 0) stream.tellReset(code);
  }

  windowIncrement(streamId: number, increment: number): void {
    // Never answer a nudge, or two nudging sides would answer each other for ever.
    if (this.#nudges && streamId !== NUDGE_STREAM_ID) this.#output.nudge();
    const stream = this.#streams.get(streamId);
    // Zero is against the rules, but nothing is won by ending a working session for it.
    if (increment === 0) return this.#useless();
    if (stream === undefined) return this.#lateCredit.take(increment) ? undefined : this.#useless();
    if (!stream.extendSendWindow(increment)) this.#useless();
    if (this.ended) return;
    if (stream.sendWindow > MAX_WINDOW) return this.#breakStream(stream, MuxErrorCode.flowControl);
    if (stream.sendable) this.#output.schedule(stream);
  }

  goAwayFrame(chunk: Buffer, start: number, end: number): void {
    const code = end - start >= 8 ? chunk.readUInt32BE(start + 4) : MuxErrorCode.none;
    this.#finish(MuxErrorCode.remoteGoneAway, `the peer ended the session with code ${code}`, MuxErrorCode.peerEof);
  }

  unknown(_type: number, length: number): void {
    this.#target = undefined;
    // Skipping costs little, but it must not be free.
    this.#useless(1 + (length >>> 14));
  }

  malformed(code: number, detail: string): void {
    this.#violation(code, detail);
  }

  #accept(streamId: number): Stream | undefined {
    const parity = this.role === 'server' ? 1 : 0;
    if (streamId % 2 !== parity) {
      this.#violation(MuxErrorCode.protocol, `SYN for stream ${streamId}, an id of this side`);
      return undefined;
    }
    this.#useless();
    if (this.ended) return undefined;
    if (this.#closing || this.#inboundCount >= this.#maxInbound) {
      this.#sendReset(streamId, this.#closing ? MuxErrorCode.streamRefused : MuxErrorCode.acceptQueueFull);
      return undefined;
    }
    // An agent writes type and question in two segments and waits with the second until the first is acknowledged
    // (agent-protocol.md §2.8): what leaves now carries that.
    if (this.#nudges) this.#output.nudge();
    const stream = new Stream(this, streamId, 0, true, this.#window, NO_HANDLER);
    this.#streams.set(streamId, stream);
    this.#resetIds.delete(streamId);
    this.#inboundCount += 1;
    if (streamId > this.#lastInboundId) this.#lastInboundId = streamId;
    return stream;
  }

  #readType(stream: Stream, chunk: Buffer, start: number, end: number): number {
    const at = stream.readType(chunk, start, end);
    if (stream.typeBytesLeft > 0) return at;
    this.#handler.onStream(stream);
    if (stream.handler === NO_HANDLER && !stream.dead) this.#abort(stream, MuxErrorCode.streamRefused);
    return at;
  }

  /** Payload for a stream that is not there: one RST per id says so. What was on its way when we reset it is our doing. */
  #answerUnknown(streamId: number, length: number): void {
    if (!this.#lateBytes.take(length)) this.#useless();
    if (!this.ended && !this.#resetIds.has(streamId)) this.#sendReset(streamId, MuxErrorCode.streamClosed);
  }

  #sendReset(streamId: number, code: number, wakes = false): void {
    if (this.#output.pendingResets >= PENDING_RESETS) {
      return this.#violation(MuxErrorCode.enhanceYourCalm, 'too many streams to reset');
    }
    this.#output.reset(streamId, code, wakes);
    this.#resetIds.add(streamId);
  }

  /** Resets a stream whose owner knows. @param behind what is framed already leaves before it */
  #abort(stream: Stream, code: number, behind = false): void {
    // Servers reset what visitors leave; streams that agents open themselves are their own affair.
    const unended = stream.opened && !stream.remoteEnded && !(this.role === 'server' && stream.inbound);
    if (unended) this.#lateBytes.expect(stream.receiveWindow);
    const halfOpen = unended && this.role === 'server';
    const leaves = halfOpen && this.leaving.slow && this.#streams.has(stream.id);
    if (leaves) {
      this.#output.farewell(stream.id, !stream.finSent);
      this.leaving.add(stream);
    }
    this.#forget(stream, leaves);
    stream.kill(behind ? 0 : this.#output.early.withdraw(stream.id));
    // A stream whose SYN never left needs no words.
    if (stream.opened && !leaves) this.#sendReset(stream.id, code, halfOpen);
  }

  /** A mistake in a callback is that stream's alone: frames behind it are other visitors'. */
  fault(stream: Stream, error: unknown): void {
    if (this.#handler.onFault === undefined) throw error;
    if (!stream.dead) this.#abort(stream, MuxErrorCode.internal);
    this.#handler.onFault(error, stream);
  }

  /** Resets a stream because of what the peer did. */
  #breakStream(stream: Stream, code: number): void {
    this.#abort(stream, code);
    if (stream.typeBytesLeft === 0) stream.tellReset(code);
  }

  /** A stream that is over can be met once more in the list of those that send, when its id has a new stream. */
  #forget(stream: Stream, leaves = false): void {
    if (this.#streams.get(stream.id) !== stream) return;
    this.#streams.delete(stream.id);
    if (stream.inbound) this.#inboundCount -= 1;
    this.#lateCredit.expect(stream.unacknowledged);
    if (!leaves) this.over(stream);
  }

  #kill(stream: Stream): void {
    stream.kill(this.#output.early.withdraw(stream.id));
  }

  #useless(cost = 1): void {
    if (!this.#patience.useless(cost)) this.#violation(MuxErrorCode.enhanceYourCalm, 'too many frames without use');
  }

  #violation(code: number, detail: string): void {
    if (this.ended) return;
    this.#output.goAway(this.#lastInboundId, code, detail);
    this.#finish(code, detail, MuxErrorCode.sessionClosed);
  }

  #finish(code: number, detail: string, streamCode: number): void {
    if (this.ended) return;
    this.ended = true;
    this.#reader.stop();
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    this.#inboundCount = 0;
    for (const stream of streams) this.#kill(stream);
    this.#output.clear();
    for (const stream of streams) this.over(stream);
    this.leaving.clear();
    for (const stream of streams) if (stream.typeBytesLeft === 0) stream.tellReset(streamCode);
    if (!this.#output.empty && !this.#announced) {
      this.#announced = true;
      this.#handler.onOutput();
    }
    this.#handler.onEnd(code, detail);
  }

  #announce(): void {
    if (this.#announced || this.#receiving || this.#output.empty || this.ended) return;
    this.#announced = true;
    this.#handler.onOutput();
  }
}
