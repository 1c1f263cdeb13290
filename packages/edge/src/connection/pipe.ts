/**
 * Bytes both ways between a visitor's socket and an agent's stream: tcp and tls endpoints, and HTTP connections after
 * an upgrade. Credit follows the slower reader in each direction, a half-close stays half, and the end comes once.
 *
 * ```
 * const pipe = new BytePipe(socket, edge, onClosed);
 * pipe.start(agents.open(upstream, purpose, null, pipe));
 * ```
 */
import type { Socket } from 'node:net';
import { MuxErrorCode, type MuxStream, type MuxStreamHandler } from '@postern/protocol';
import { partStream } from '../agents/part-stream.ts';
import type { EdgeContext } from '../context.ts';
import { Guard } from '../guard.ts';
import { abort } from './abort.ts';
import { type ConnectionDeadlines, ConnectionWatch, type WatchedFlow } from './connection-watch.ts';
import { part } from './part.ts';
import { readIntoSlab } from './slab-reader.ts';
import { SocketWriter, type SocketWriterOwner } from '@postern/sockets';

/** What a pipe needs of the edge. */
export interface PipeContext extends Pick<EdgeContext, 'wheel' | 'faults'> {
  readonly config: { readonly limits: ConnectionDeadlines };
}

/** Why a pipe ended, as traffic events say it. */
export type PipeEndReason =
  | 'complete'
  | 'client-gone'
  | 'upstream-reset'
  | 'agent-gone'
  | 'idle'
  | 'gave-way'
  | 'shutdown';

/** A pipe that carried nothing for so long is idle when the server stops. */
const QUIET_MS = 1_500;

export class BytePipe implements MuxStreamHandler, SocketWriterOwner, WatchedFlow {
  /** From the visitor, and to the visitor. */
  bytesIn = 0;
  bytesOut = 0;
  readonly socket: Socket;
  readonly #guard: Guard;
  readonly #writer: SocketWriter;
  readonly #watch: ConnectionWatch;
  readonly #onClosed: (pipe: BytePipe, reason: PipeEndReason) => void;
  #stream: MuxStream | null = null;
  /** FIN seen: of the visitor, of the agent. */
  #visitorDone = false;
  #agentDone = false;
  /** RST seen, or another end that is none in order. */
  #broken = false;
  #reason: PipeEndReason | null = null;
  #closed = false;

  /**
   * @param socket of the visitor, with `allowHalfOpen`; nobody else listens to its data any more
   * @param onClosed runs once, when the socket has closed
   */
  constructor(socket: Socket, edge: PipeContext, onClosed: (pipe: BytePipe, reason: PipeEndReason) => void) {
    this.socket = socket;
    this.#guard = new Guard(edge.faults, edge.wheel, 'a connection of bytes', () => abort(socket));
    this.#writer = new SocketWriter(socket, this);
    this.#onClosed = onClosed;
    this.#watch = new ConnectionWatch(this.#guard, edge.config.limits, this);
  }

  /**
   * Starts the flow.
   * @param stream opened with this pipe as its handler, or handed over to it
   * @param toAgent bytes of the visitor's that were read before
   * @param toVisitor bytes of the agent's that were read before; the pipe gives credit for them
   */
  start(stream: MuxStream, toAgent: Buffer | null = null, toVisitor: Buffer | null = null): void {
    this.#stream = stream;
    stream.handler = this;
    if (this.#closed) {
      this.#endStream();
      return;
    }
    const socket = this.socket;
    socket.on('end', this.#guard.wrap(this.#onSocketEnd));
    socket.on('error', this.#onSocketError);
    socket.on('close', this.#guard.wrap(this.#onSocketClose));
    if (toVisitor !== null && toVisitor.length > 0) this.onData(toVisitor);
    if (toAgent !== null && toAgent.length > 0) {
      this.bytesIn += toAgent.length;
      stream.write(toAgent);
    }
    readIntoSlab(socket, this.#onSocketBytes);
    if (socket.destroyed) this.#onSocketClose();
    else if (socket.readableEnded) this.#onSocketEnd();
    else socket.resume();
  }

  get silentMs(): number {
    return this.#watch.age();
  }

  /** Others need its place. */
  giveWay(): void {
    this.destroy('gave-way');
  }

  /** No stream came: gives the socket back untouched, and never reports. */
  discard(): void {
    this.#closed = true;
    this.#watch.cancel();
  }

  /** The server stops: ends as soon as nothing has moved for a moment, FIN first on both sides. */
  retire(): void {
    if (this.#closed) return;
    const left = QUIET_MS - this.#watch.age();
    if (left > 0 || this.#writer.pending > 0) {
      this.#guard.schedule(Math.max(left, 100), () => this.retire());
      return;
    }
    this.#reason ??= 'shutdown';
    this.#writer.end();
    this.#onSocketEnd();
    part(this.socket, this.#guard);
  }

  // WatchedFlow.

  pending(): number {
    return this.#writer.pending;
  }

  idle(): void {
    this.destroy('idle');
  }

  stalled(): void {
    this.destroy('client-gone');
  }

  /** Cuts both sides. */
  destroy(reason: PipeEndReason): void {
    this.#reason ??= reason;
    if (this.#stream === null) this.#onSocketClose();
    abort(this.socket);
  }

  onData(chunk: Buffer): void {
    if (this.#closed) {
      // The visitor is gone and the agent did not stop at our FIN: now it is told the hard way (agent-protocol.md §0.8).
      this.#stream?.reset(MuxErrorCode.streamCancelled);
      return;
    }
    this.bytesOut += chunk.length;
    this.#watch.moved();
    this.#writer.write(chunk);
  }

  onWritten(n: number): void {
    this.#watch.accepted();
    this.#stream?.consume(n);
  }

  onEnd(): void {
    this.#agentDone = true;
    this.#writer.end();
  }

  onReset(code: number): void {
    if (this.#closed) return;
    if (this.#agentDone && code === MuxErrorCode.streamClosed) {
      // The agent only says that it takes no more bytes; what it sent before is still due, however slow its reader is.
      // Bytes of the visitor's are read and dropped meanwhile, so that its FIN is seen.
      this.socket.resume();
      part(this.socket, this.#guard);
      return;
    }
    this.#reason ??=
      code === MuxErrorCode.sessionClosed || code === MuxErrorCode.peerEof ? 'agent-gone' : 'upstream-reset';
    abort(this.socket);
  }

  onDrain(): void {
    if (!this.#closed) this.socket.resume();
  }

  readonly #onSocketBytes = (buffer: Buffer, length: number): void => {
    try {
      this.#fromVisitor(buffer, length);
    } catch (error) {
      this.#guard.fault(error);
    }
  };

  #fromVisitor(buffer: Buffer, length: number): void {
    const stream = this.#stream;
    if (stream === null || !stream.writable) return;
    this.bytesIn += length;
    this.#watch.moved();
    if (!stream.writeShared(buffer.subarray(0, length))) this.socket.pause();
  }

  fault(error: unknown): void {
    this.#guard.fault(error);
  }

  onFault(): void {
    this.#guard.end();
  }

  readonly #onSocketEnd = (): void => {
    if (this.#visitorDone) return;
    this.#visitorDone = true;
    if (this.#stream?.writable === true) this.#stream.end();
  };

  readonly #onSocketError = (): void => {
    this.#broken = true;
  };

  readonly #onSocketClose = (): void => {
    if (this.#closed) return;
    const complete = this.#agentDone && (this.#visitorDone || this.#writer.pending === 0);
    this.#closed = true;
    this.#watch.cancel();
    this.#writer.drop();
    this.#endStream();
    this.#onClosed(this, this.#reason ?? (complete ? 'complete' : 'client-gone'));
  };

  /** An end goes on as an end, which the service may still answer to; anything else as a reset: what came may be cut. */
  #endStream(): void {
    const stream = this.#stream;
    if (stream === null || stream.closed) return;
    if (this.#broken || !this.#visitorDone) {
      stream.reset(MuxErrorCode.streamCancelled);
      return;
    }
    partStream(stream, this.#guard);
  }
}

/** 'close' follows every 'error', and tells all that matters. */
export function ignore(): void {}
