import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { MuxErrorCode, type MuxStream, type MuxStreamHandler } from '@postern/protocol';
import { SocketWriter, type SocketWriterOwner } from '@postern/sockets';
import { badGateway } from './bad-gateway.ts';
import type { Circles } from './circles.ts';
import { dialUpstream, dialUpstreamBehind, type UpstreamPlan } from './dial-upstream.ts';
import { UpstreamReader } from './upstream-reader.ts';

/** A visitor's connection that is being served. */
export interface ProxiedConnection {
  destroy(): void;
}

/** What all pipes share. */
export interface PipeContext {
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
export class Pipe implements MuxStreamHandler, SocketWriterOwner, ProxiedConnection {
  readonly #stream: MuxStream;
  readonly #plan: UpstreamPlan;
  readonly #context: PipeContext;
  readonly #socket: Socket;
  readonly #writer: SocketWriter;
  #deadline: NodeJS.Timeout | undefined;
  #connected = false;
  /** Dialling failed, and a 502 was the answer: what the visitor still sends is dropped. */
  #refused = false;

  /** @param preamble what must reach a TLS upstream before TLS does */
  constructor(stream: MuxStream, plan: UpstreamPlan, context: PipeContext, preamble?: Buffer) {
    this.#stream = stream;
    this.#plan = plan;
    this.#context = context;
    this.#socket =
      preamble === undefined
        ? dialUpstream(plan, new UpstreamReader(stream, () => this.#socket.pause(), plan.watched))
        : dialUpstreamBehind(preamble, plan, (chunk) => this.#read(chunk));
    this.#writer = new SocketWriter(this.#socket, this);
    const timeout = plan.options.dialTimeout ?? 10_000;
    this.#deadline = setTimeout(() => this.#socket.destroy(new Error(`no answer within ${timeout / 1000} s`)), timeout);
    this.#socket.on(plan.secure ? 'secureConnect' : 'connect', () => {
      this.#connected = true;
      this.#clearDeadline();
    });
    // Before TLS of ours, if any: the edge opens the next stream at its ClientHello.
    if (plan.trail !== undefined) context.circles.dial(this.#socket, plan.address.port, plan.trail);
    this.#socket.on('end', () => this.#stream.end());
    this.#socket.on('error', (error) => this.#failed(error));
    this.#socket.on('close', () => this.#closed());
  }

  /** Ends both sides at once. */
  destroy(): void {
    this.#stream.reset(MuxErrorCode.streamCancelled);
    this.#writer.drop();
    cut(this.#socket);
  }

  onDrain(): void {
    this.#socket.resume();
  }

  /** What the visitor sent. */
  onData(chunk: Buffer): void {
    this.#plan.watched?.fromVisitor(chunk);
    if (this.#refused || this.#socket.destroyed) this.#stream.consume(chunk.length);
    else this.#writer.write(chunk);
  }

  onWritten(n: number): void {
    this.#stream.consume(n);
  }

  /** A mistake of ours costs this connection. */
  fault(error: unknown): void {
    this.#socket.destroy(error instanceof Error ? error : new Error(String(error)));
  }

  onEnd(): void {
    if (!this.#refused) this.#writer.end();
  }

  onReset(): void {
    this.#writer.drop();
    cut(this.#socket);
  }

  /** What the upstream sent, in a buffer of its own. */
  #read(chunk: Buffer): void {
    this.#plan.watched?.fromService(chunk);
    if (!this.#stream.write(chunk)) this.#socket.pause();
  }

  #failed(error: Error): void {
    // What it said before it hung up is still due: an answer to who sends too much ends like this.
    if (this.#connected) return this.#stream.resetBehind(MuxErrorCode.internal);
    this.#refused = true;
    // Who still sends would wait for ever for credit.
    this.#stream.consume(this.#writer.pending);
    this.#writer.drop();
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
    this.#writer.drop();
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
