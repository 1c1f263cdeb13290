/** How much of an HTTP/1 connection is kept, read to its end and waited for. Bytes and milliseconds. */
import type { RequestHead } from '@postern/protocol';

export const HTTP1 = {
  /** Bytes that the socket has not taken: past the first the source pauses, below the second it goes on. */
  highMark: 65_536,
  lowMark: 32_768,
  /** An unread request body of this size is read to its end, so that the connection can be used again. */
  drainBytes: 65_536,
  /** After an answer that ends the connection: how much is still read and for how long, so that the answer arrives. */
  lingerBytes: 33_554_432,
  lingerMs: 10_000,
  /** Behind a FIN and without a word from the service for so long, the visitor is taken to have left. */
  halfCloseMs: 2_000,
  /** What the rest of a head may take when the server stops. */
  arrivingMs: 1_500,
} as const;

/**
 * An answer of ours, or an error, while a request body is under way that is not worth reading to its end.
 * @param continued the visitor has been told to send it
 */
export function leavesUnread(request: RequestHead, continued: boolean, settled: boolean): boolean {
  if (request.expectContinue && !continued) return true;
  return settled && (request.framing.kind !== 'length' || request.framing.length > HTTP1.drainBytes);
}
