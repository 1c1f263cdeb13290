import { Duplex } from 'node:stream';
import { MuxErrorCode, type MuxStream, type MuxStreamHandler } from '@postern/protocol';
import type { Watched } from './watched.ts';

/**
 * A proxied stream as a Node stream, for connections that are served inside this process (an `http.Server` takes it by
 * its 'connection' event).
 */
export class StreamDuplex extends Duplex implements MuxStreamHandler {
  /** Of the visitor, as sockets have them. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #stream: MuxStream;
  readonly #watched: Watched | undefined;
  /** Bytes taken whose credit waits for the reader. */
  #owed = 0;
  #afterDrain: ((error?: Error | null) => void) | undefined = undefined;

  constructor(stream: MuxStream, clientAddr: string, watched?: Watched) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    this.#watched = watched;
    const colon = clientAddr.lastIndexOf(':');
    this.remoteAddress = clientAddr.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
    this.remotePort = Number(clientAddr.slice(colon + 1)) || 0;
  }

  onData(chunk: Buffer): void {
    if (this.destroyed) return this.#stream.consume(chunk.length);
    this.#watched?.fromVisitor(chunk);
    if (this.push(Buffer.from(chunk))) this.#stream.consume(chunk.length);
    else this.#owed += chunk.length;
  }

  onEnd(): void {
    if (!this.destroyed) this.push(null);
  }

  onReset(code: number): void {
    this.destroy(new Error(`the connection was reset with code ${code}`));
  }

  onDrain(): void {
    const callback = this.#afterDrain;
    this.#afterDrain = undefined;
    callback?.();
  }

  override _read(): void {
    const owed = this.#owed;
    this.#owed = 0;
    this.#stream.consume(owed);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (!this.#stream.writable) return callback(new Error('the connection is closed'));
    this.#watched?.fromService(chunk);
    if (this.#stream.write(chunk)) callback();
    else this.#afterDrain = callback;
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#stream.end();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const waiting = this.#afterDrain;
    this.#afterDrain = undefined;
    waiting?.(error);
    if (!this.#stream.closed) this.#closeStream(error);
    callback(error);
  }

  /** A stream that was read and written to its end needs no reset; one that was cut does. */
  #closeStream(error: Error | null): void {
    if (error === null && !this.#stream.writable && this.readableEnded) return;
    this.#stream.reset(MuxErrorCode.streamCancelled);
  }
}
