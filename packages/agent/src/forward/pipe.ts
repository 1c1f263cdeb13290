import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { MuxErrorCode, type MuxStream, type MuxStreamHandler } from '@postern/protocol';
import type { ReadSlab } from '../read-slab.ts';
import { badGateway } from './bad-gateway.ts';
import type { Circles } from './circles.ts';
import { dialUpstream, dialUpstreamBehind, type UpstreamPlan } from './dial-upstream.ts';
import { UpstreamReader } from './upstream-reader.ts';
import type { WriteJoiner } from './write-joiner.ts';

/** Chunks from here on are bulk: worth joining and keeping where they are; smaller ones leave at once or are copied. */
const BULK_BYTES = 8192;
const COPY_BYTES = 4096;

/** A visitor's connection that is being served. */
export interface ProxiedConnection {
  destroy(): void;
}

/** What all pipes of one connection to the server share. */
export interface PipeContext {
  readonly slab: ReadSlab;
  readonly joiner: WriteJoiner;
  readonly circles: Circles;
  /** A connection is over. */
  readonly onDone: (connection: ProxiedConnection) => void;
  /** The upstream could not be reached. */
  readonly onDialFailure: (plan: UpstreamPlan, reason: string) => void;
}

/**
 * One proxied stream joined to one upstream connection: bytes both ways, each side's speed bounded by the other's
 * reader, and each direction ended by itself.
 */
export class Pipe implements MuxStreamHandler, ProxiedConnection {
  readonly #stream: MuxStream;
  readonly #plan: UpstreamPlan;
  readonly #context: PipeContext;
  readonly #socket: Socket;
  #deadline: NodeJS.Timeout | undefined;
  #connected = false;
  /** Dialling failed, and a 502 was the answer: what the visitor still sends is dropped. */
  #refused = false;
  /** Bytes taken from the stream whose credit waits for the socket to drain. */
  #owed = 0;

  /** @param preamble what must reach a TLS upstream before TLS does */
  constructor(stream: MuxStream, plan: UpstreamPlan, context: PipeContext, preamble?: Buffer) {
    this.#stream = stream;
    this.#plan = plan;
    this.#context = context;
    this.#socket =
      preamble === undefined
        ? dialUpstream(plan, new UpstreamReader(stream, () => this.#socket.pause(), plan.watched).onread)
        : dialUpstreamBehind(preamble, plan, (chunk) => this.#read(chunk));
    const timeout = plan.options.dialTimeout ?? 10_000;
    this.#deadline = setTimeout(() => this.#socket.destroy(new Error(`no answer within ${timeout / 1000} s`)), timeout);
    this.#socket.on(plan.secure ? 'secureConnect' : 'connect', () => {
      this.#connected = true;
      this.#clearDeadline();
    });
    // Before TLS of ours, if any: the edge opens the next stream at its ClientHello.
    if (plan.trail !== undefined) context.circles.dial(this.#socket, plan.address.port, plan.trail);
    this.#socket.on('drain', () => this.#drained());
    this.#socket.on('end', () => this.#stream.end());
    this.#socket.on('error', (error) => this.#failed(error));
    this.#socket.on('close', () => this.#closed());
  }

  /** Ends both sides at once. */
  destroy(): void {
    this.#stream.reset(MuxErrorCode.streamCancelled);
    cut(this.#socket);
  }

  onDrain(): void {
    this.#socket.resume();
  }

  /** What the visitor sent. */
  onData(chunk: Buffer): void {
    const length = chunk.length;
    this.#plan.watched?.fromVisitor(chunk);
    if (this.#refused || this.#socket.destroyed || this.#socket.writableEnded) return this.#stream.consume(length);
    let more: boolean;
    if (!this.#connected || (this.#plan.secure && length < COPY_BYTES)) {
      more = this.#socket.write(Buffer.from(chunk));
    } else {
      if (length >= BULK_BYTES) this.#context.joiner.join(this.#socket);
      more = this.#socket.write(chunk);
      if (this.#socket.writableLength > 0) this.#context.slab.hold();
    }
    if (more) this.#stream.consume(length);
    else this.#owed += length;
  }

  onEnd(): void {
    if (!this.#refused) this.#socket.end();
  }

  onReset(): void {
    cut(this.#socket);
  }

  /** What the upstream sent, in a buffer of its own. */
  #read(chunk: Buffer): void {
    this.#plan.watched?.fromService(chunk);
    if (!this.#stream.write(chunk)) this.#socket.pause();
  }

  #drained(): void {
    const owed = this.#owed;
    this.#owed = 0;
    this.#stream.consume(owed);
  }

  #failed(error: Error): void {
    if (this.#connected) {
      this.#stream.reset(MuxErrorCode.internal);
      return;
    }
    this.#refused = true;
    this.#drained();
    const reason = describe(error);
    this.#context.onDialFailure(this.#plan, reason);
    const { scheme } = this.#plan.address;
    if (scheme !== 'http' && scheme !== 'https') return this.#stream.end();
    const answer = badGateway(this.#plan.address, reason);
    this.#plan.watched?.fromService(answer);
    this.#stream.end(answer);
  }

  #closed(): void {
    this.#clearDeadline();
    // A clean close has ended both directions; anything else must not look like one.
    if (!this.#refused && !this.#stream.closed && this.#stream.writable) this.#stream.reset(MuxErrorCode.internal);
    this.#plan.watched?.over();
    this.#context.onDone(this);
  }

  #clearDeadline(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }
}

/** By RST, so that the upstream does not take it for an end; TLS has an end of its own, which is missing then. */
function cut(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.connecting || socket instanceof TLSSocket) socket.destroy();
  // The system resets no socket whose end it is about to send, and the runtime would never close that one.
  else if (socket.writableEnded && !socket.writableFinished && socket.writableLength === 0) {
    socket.once('finish', () => socket.destroyed || socket.resetAndDestroy());
  } else socket.resetAndDestroy();
}

/** Node joins the failures of several addresses into one error without words. */
function describe(error: Error): string {
  if (error instanceof AggregateError) {
    const reasons = error.errors.map((each: unknown) => (each instanceof Error ? each.message : String(each)));
    if (reasons.length > 0) return reasons.join(', ');
  }
  return error.message;
}
