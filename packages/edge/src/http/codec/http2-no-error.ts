import type { Http2Stream } from 'node:http2';

/**
 * For a stream whose body has been read to its end. When its peer has reset it with NO_ERROR (RFC 9113 §8.1: an answer
 * that needs no more of the request) while a write was on its way, the runtime waits for that write before it closes the
 * stream, and the write never ends (`kMaybeDestroy`, Node 24).
 */
export function endReset(stream: Http2Stream | null): void {
  if (stream?.closed === true && !stream.writableFinished) stream.destroy();
}
