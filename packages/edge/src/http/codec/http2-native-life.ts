/**
 * Keeps the native half of an HTTP/2 session until those of its streams are gone.
 *
 * A stream that is cut while a write of its is on the way to the socket is left to the garbage collector, with the
 * fields of a head that has begun and not ended. Collected after its session, or with it in the wrong order, it still
 * holds memory that the session has counted, and the runtime ends the process over that (`current_nghttp2_memory_ == 0`
 * in `~Http2Session`, Node 24): any visitor and any service could have that. So whoever may have left a head unfinished
 * holds the session: what a registry holds for an object outlives the collection in which the object goes.
 */
import type { Http2Session, Http2Stream } from 'node:http2';

const held = new FinalizationRegistry<object>(() => {});

export class NativeLife {
  /** JavaScript's half lets go of it when the session ends. */
  #handle: object | null;

  /** @param session on a socket that is connected: else it has no native half yet */
  constructor(session: Http2Session) {
    const name = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'kHandle');
    const handle: unknown = name === undefined ? undefined : Reflect.get(session, name);
    this.#handle = typeof handle === 'object' ? handle : null;
    // Behind all of its streams. While settings are not acknowledged it holds JavaScript's half, and would so hold itself.
    session.once('close', () => {
      this.#handle = null;
    });
  }

  /** For a stream that has closed, unless all of what its peer had to say had come before. */
  outlive(stream: Http2Stream): void {
    if (this.#handle !== null) held.register(stream, this.#handle);
  }
}
