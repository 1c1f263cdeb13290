/**
 * From the bytes of a visitor's socket to its parser, request after request. What has to wait (a body that nobody takes
 * yet, a pipelined request) is kept here while the socket is paused: at most what one read brings.
 */
import type { Socket } from 'node:net';
import {
  createRequestParser,
  type Http1Failure,
  type Http1Parser,
  type Http1Sink,
  type RequestHead,
} from '@postern/protocol';
import { REQUEST_NAMES } from '../exchange/settled-fields.ts';

export interface Http1ReaderOwner extends Http1Sink<RequestHead> {
  /** Requests are still read from this connection. */
  readonly reading: boolean;
  /** The next request is to be held back. Asked between requests and within them. */
  mustWait(): boolean;
  /** What arrived is not HTTP, and nothing behind it can be trusted. */
  refuse(failure: Http1Failure): void;
  /** All that there is has been read. @param inHead up to within a head */
  fed(inHead: boolean): void;
}

export class Http1Reader {
  private readonly socket: Socket;
  private readonly owner: Http1ReaderOwner;
  private readonly parser: Http1Parser;
  private stash: Buffer | null = null;
  private feeding = false;
  private held = false;

  constructor(socket: Socket, owner: Http1ReaderOwner, headBytes: number) {
    this.socket = socket;
    this.owner = owner;
    this.parser = createRequestParser(owner, { headBytes }, REQUEST_NAMES);
  }

  /** Between requests, and nothing of a next one has come. */
  get idle(): boolean {
    return this.parser.idle;
  }

  get waiting(): boolean {
    return this.stash !== null;
  }

  /** {@link idle}, and nothing of a next one waits, or is just being looked at. */
  get untouched(): boolean {
    return this.stash === null && !this.feeding && this.parser.idle;
  }

  /** @param buffer valid during the call only */
  take(buffer: Buffer, length: number): void {
    if (this.stash === null) this.feed(buffer, length, false);
    else this.stash = Buffer.concat([this.stash, buffer.subarray(0, length)]);
  }

  /** The body of the request whose head has just been told waits. */
  hold(): void {
    this.held = true;
    this.parser.pause();
  }

  /** It need not wait any more. */
  release(): void {
    this.held = false;
    this.proceed();
  }

  /** Goes on with what waits, then with the socket. */
  proceed(): void {
    if (this.feeding || !this.owner.reading) return;
    const stash = this.surrender();
    if (stash !== null) {
      this.feed(stash, stash.length, true);
      if (this.stash !== null || !this.owner.reading) return;
    }
    if (!this.held) this.socket.resume();
  }

  /** What waits is somebody else's from now on; null = nothing. */
  surrender(): Buffer | null {
    const { stash } = this;
    this.stash = null;
    return stash;
  }

  /** @param owned the chunk is ours; else what has to wait is copied */
  private feed(chunk: Buffer, length: number, owned: boolean): void {
    const { owner, parser } = this;
    this.feeding = true;
    let at = 0;
    while (at < length && owner.reading) {
      if (this.held || owner.mustWait()) {
        const rest = chunk.subarray(at, length);
        this.stash = owned ? rest : Buffer.from(rest);
        this.socket.pause();
        break;
      }
      at = parser.execute(chunk, at, length);
      if (parser.failure !== null) {
        owner.refuse(parser.failure);
        break;
      }
    }
    this.feeding = false;
    owner.fed(parser.inHead);
  }
}
