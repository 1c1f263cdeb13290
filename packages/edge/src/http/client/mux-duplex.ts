/** An agent stream as a node Duplex, for `node:http2` as a client. */
import { Duplex } from 'node:stream';
import { MuxErrorCode, type MuxStream, type MuxStreamHandler } from '@postern/protocol';
import { GONE_GRACE_MS, partStream } from '../../agents/part-stream.ts';
import type { TimerHandle } from '../../context.ts';
import type { Guard } from '../../guard.ts';
import { EndWatch } from './end-watch.ts';
import { UnreadPieces } from './unread-pieces.ts';

export class MuxDuplex extends Duplex implements MuxStreamHandler {
  /** Set when the agent reset the stream or its session was lost. */
  resetCode: number | null = null;
  /** The first bytes received: an agent that cannot reach its service answers in HTTP/1. */
  opening = '';
  readonly unread = new UnreadPieces(() => this.giveCredit());
  readonly ends = new EndWatch(this.unread);
  /** Of the visitor connection that it serves. */
  private readonly guard: Guard;
  private stream: MuxStream | null = null;
  private owed = 0;
  /** The session takes more. */
  private wanted = true;
  private afterDrain: ((error?: Error | null) => void) | null = null;
  private parting: TimerHandle | null = null;

  constructor(guard: Guard) {
    super({ allowHalfOpen: true });
    this.guard = guard;
    // A service that has ended its connection takes nothing more. Left to itself the session closes its side, too, and
    // what it has to say in that moment is an assertion of the runtime's that ends the process.
    this.on(
      'end',
      guard.wrap(() => this.destroy()),
    );
  }

  attach(stream: MuxStream): void {
    this.stream = stream;
  }

  onData(chunk: Buffer): void {
    if (this.destroyed) {
      this.stream?.reset(MuxErrorCode.streamCancelled);
      return;
    }
    if (this.opening.length < 64) this.opening += chunk.toString('latin1', 0, Math.min(64, chunk.length));
    this.ends.read(chunk);
    this.owed += chunk.length;
    this.wanted = this.push(Buffer.from(chunk));
    this.giveCredit();
  }

  private giveCredit(): void {
    const { owed } = this;
    if (owed === 0 || !this.wanted || this.unread.tooMany) return;
    this.owed = 0;
    this.stream?.consume(owed);
  }

  onEnd(): void {
    this.push(null);
  }

  onReset(code: number): void {
    this.resetCode = code;
    this.destroy();
  }

  onDrain(): void {
    const done = this.afterDrain;
    this.afterDrain = null;
    done?.();
  }

  /** What it is part of has been reset for a mistake of ours. */
  onFault(): void {
    this.destroy();
    this.guard.end();
  }

  override _read(): void {
    this.wanted = true;
    try {
      this.giveCredit();
    } catch (error) {
      this.guard.fault(error);
    }
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const { stream } = this;
    if (stream === null || !stream.writable) return done(new Error('the stream is closed'));
    try {
      this.afterDrain = stream.write(chunk) ? null : done;
    } catch (error) {
      this.guard.fault(error);
    }
    if (this.afterDrain === null) done();
  }

  override _final(done: (error?: Error | null) => void): void {
    try {
      if (this.stream?.writable === true) this.stream.end();
    } catch (error) {
      this.guard.fault(error);
    }
    done();
  }

  /** Its session is over: a service that reads nothing of the last words would hold the stream for ever. */
  part(): void {
    this.parting ??= this.guard.schedule(GONE_GRACE_MS, () => {
      const { stream } = this;
      if (stream?.closed === false) stream.reset(MuxErrorCode.streamCancelled);
      this.destroy();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const { stream } = this;
    this.afterDrain = null;
    this.parting?.cancel();
    try {
      if (stream !== null) partStream(stream, this.guard);
    } catch (failure) {
      this.guard.fault(failure);
    }
    done(error);
  }
}
