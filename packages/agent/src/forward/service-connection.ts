import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { SocketWriter, type SocketWriterOwner } from '@postern/sockets';
import { dialUpstream, dialUpstreamBehind, type UpstreamPlan } from './dial-upstream.ts';
import { UpstreamReader, type ReaderOwner } from './upstream-reader.ts';

/** Whose connection it is for now. */
export interface ConnectionUser {
  /** So many bytes have left. */
  written(n: number): void;
  /** The service sends nothing more. */
  ended(): void;
  failed(error: Error): void;
  closed(): void;
}

/**
 * A connection to a service. It serves one visitor's stream after another, where the server says that it may
 * (service-pool.ts); its listeners are made once.
 */
export class ServiceConnection implements ReaderOwner, SocketWriterOwner {
  readonly socket: Socket;
  readonly reader: UpstreamReader;
  readonly writer: SocketWriter;
  /** It is up; before that, nobody but the one that it was made for has it. */
  connected = false;
  /** When it was kept, monotonic milliseconds. */
  keptAt = 0;
  #user: ConnectionUser;
  #deadline: NodeJS.Timeout | undefined;

  /**
   * @param preamble what must reach a TLS upstream before TLS does
   * @param read gets what arrives behind a preamble, in buffers of its own
   */
  constructor(plan: UpstreamPlan, user: ConnectionUser, preamble?: Buffer, read?: (chunk: Buffer) => void) {
    this.#user = user;
    this.reader = new UpstreamReader(this);
    this.socket =
      preamble === undefined || read === undefined
        ? dialUpstream(plan, this.reader.onread)
        : dialUpstreamBehind(preamble, plan, read);
    const { socket } = this;
    this.writer = new SocketWriter(socket, this);
    const timeout = plan.options.dialTimeout ?? 10_000;
    this.#deadline = setTimeout(() => socket.destroy(new Error(`no answer within ${timeout / 1000} s`)), timeout);
    socket.on(plan.secure ? 'secureConnect' : 'connect', () => {
      this.connected = true;
      this.#clearDeadline();
    });
    socket.on('end', () => this.#user.ended());
    socket.on('error', (error) => this.#user.failed(error));
    socket.on('close', () => {
      this.#clearDeadline();
      this.writer.drop();
      this.#user.closed();
    });
  }

  set user(user: ConnectionUser) {
    this.#user = user;
  }

  /** Nothing is under way in either direction, and a request could follow. */
  get quiet(): boolean {
    const { socket } = this;
    if (!this.connected || socket.destroyed || socket.writableEnded || socket.readableEnded) return false;
    return socket.writableLength === 0 && this.writer.pending === 0;
  }

  // SocketWriterOwner.

  onWritten(n: number): void {
    this.#user.written(n);
  }

  /** A mistake of ours costs this connection. */
  fault(error: unknown): void {
    this.socket.destroy(error instanceof Error ? error : new Error(String(error)));
  }

  // ReaderOwner.

  full(): void {
    this.socket.pause();
  }

  unasked(): void {
    this.socket.destroy();
  }

  /** By RST, so that the upstream does not take it for an end; TLS has an end of its own, which is missing then. */
  cut(): void {
    const { socket } = this;
    this.writer.drop();
    if (socket.destroyed) return;
    if (socket.connecting || socket instanceof TLSSocket) socket.destroy();
    // The system resets no socket whose end it is about to send, and the runtime would never close that one.
    else if (socket.writableEnded && !socket.writableFinished && socket.writableLength === 0) {
      socket.once('finish', () => socket.destroyed || socket.resetAndDestroy());
    } else socket.resetAndDestroy();
  }

  #clearDeadline(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }
}
