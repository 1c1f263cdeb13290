/**
 * An error of one HTTP/2 stream costs that stream. nghttp2 resets a stream whose body is longer than its content-length,
 * and reports that with the number that connection errors have, too (NGHTTP2_ERR_PROTO); the runtime ends the whole
 * session for it. Here it waits for a moment: behind an error of a stream the stream closes with PROTOCOL_ERROR, and the
 * session goes on. Behind one of the connection, nghttp2 has sent GOAWAY with the code that is meant, and the session is
 * ended. Other streams may close with that code in the same moment, so that who was spared has to answer a ping.
 */
import { constants, type Http2Session } from 'node:http2';
import type { TimerHandle, TimerWheel } from '../../context.ts';

/** NGHTTP2_ERR_PROTO. */
const PROTOCOL_FAULT = -505;
/** For a reset to leave: it may have to wait for a write that is under way. */
const MOMENT_MS = 250;
const ANSWER_MS = 10_000;

export class StreamErrors {
  private readonly session: Http2Session;
  private readonly wheel: TimerWheel;
  private readonly onConnectionError: () => void;
  /** Faults of which nobody knows whose they are. */
  private open = 0;
  private moment: TimerHandle | null = null;
  private answer: TimerHandle | null = null;

  /** @param onConnectionError ends the session; GOAWAY has been sent */
  constructor(session: Http2Session, wheel: TimerWheel, onConnectionError: () => void) {
    this.session = session;
    this.wheel = wheel;
    this.onConnectionError = onConnectionError;
    const destroy = session.destroy.bind(session);
    // The runtime calls it with null or a bare code, too, whatever its types say.
    session.destroy = (error?: Error, code?: number): void => {
      if (error instanceof Error && Reflect.get(error, 'errno') === PROTOCOL_FAULT) this.faulty();
      else destroy(error, code);
    };
  }

  /** Nobody knows yet whether the connection goes on. */
  get doubtful(): boolean {
    return this.open > 0;
  }

  /** @param code of its reset, from whichever side */
  streamClosed(code: number): void {
    if (this.open === 0 || code !== constants.NGHTTP2_PROTOCOL_ERROR) return;
    this.open--;
    if (this.open === 0) this.moment?.cancel();
    if (!this.session.destroyed) this.ask();
  }

  /** The session is over. */
  stop(): void {
    this.moment?.cancel();
    this.answer?.cancel();
  }

  private faulty(): void {
    if (this.session.destroyed) return;
    this.open++;
    if (this.open === 1) this.moment = this.wheel.schedule(MOMENT_MS, this.onConnectionError);
  }

  private ask(): void {
    this.answer ??= this.wheel.schedule(ANSWER_MS, this.onConnectionError);
    this.session.ping((error) => {
      if (error !== null) return;
      this.answer?.cancel();
      this.answer = null;
    });
  }
}
