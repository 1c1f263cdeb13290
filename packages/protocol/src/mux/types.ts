/**
 * The muxado wire as the rest of Postern sees it (spec: agent-protocol.md §2). Sans I/O: bytes in through
 * {@link MuxSession.receive}, bytes out through {@link MuxSession.pull}; a transport of the caller's moves them.
 */

/** Error codes of RST and GOAWAY frames (agent-protocol.md §2.4). */
export const MuxErrorCode = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  streamClosed: 4,
  streamRefused: 5,
  streamCancelled: 6,
  streamReset: 7,
  frameSize: 8,
  acceptQueueFull: 9,
  enhanceYourCalm: 10,
  remoteGoneAway: 11,
  streamsExhausted: 12,
  writeTimeout: 13,
  sessionClosed: 14,
  peerEof: 15,
} as const;

export interface MuxOptions {
  /** The side that dialled (an agent) is `client`: odd stream ids from 3. The server opens even ids from 2. */
  readonly role: 'client' | 'server';
  /**
   * What one stream of the peer's may have under way to us, in bytes. Both sides of this protocol start at 262,144;
   * a larger value (up to 16 MiB) is granted to a stream with its first credit, when it has turned out to be bulk.
   */
  readonly window?: number;
  /** Streams opened by the peer that may be open at once; one more is refused with RST(9). Default 512. */
  readonly maxInboundStreams?: number;
  /** Answer each inbound WNDINC and SYN with a tiny frame (agent-protocol.md §2.8). Default true for servers. */
  readonly nudge?: boolean;
  /** Monotonic milliseconds: with a clock, the patience with frames of no use comes back over time. */
  readonly now?: () => number;
}

/** What the owner of a session is told. Callbacks run synchronously inside `receive`; they must not throw. */
export interface MuxSessionHandler {
  /** A stream of the peer's, its 4-byte type already read. Set `stream.handler` before returning. */
  onStream(stream: MuxStream): void;
  /**
   * A stream of either side is over and its place in the session free, once for each stream: also the end of the
   * session frees them. May run inside any call; opening a stream in it is allowed.
   */
  onStreamOver?(stream: MuxStream): void;
  /** There is something to pull. Called on the edge from "nothing to send" to "something to send". */
  onOutput(): void;
  /**
   * A callback of the owner of `stream` threw: the stream has been reset, and the session goes on. Without this, what
   * it threw comes out of `receive` or `pull`.
   */
  onFault?(error: unknown, stream: MuxStream): void;
  /** The session is over, once. `code` as in {@link MuxErrorCode}; every stream has been told before. */
  onEnd(code: number, detail: string): void;
}

/** What the owner of a stream is told. Order: data…, then end or reset; after a reset nothing more. */
export interface MuxStreamHandler {
  /**
   * Bytes of the peer's. The view is valid only during the call: copy what must outlive it.
   * The peer's window shrinks by its length until {@link MuxStream.consume} gives it back.
   */
  onData(chunk: Buffer): void;
  /** The peer finished its direction (FIN). Ours stays open until `end`. */
  onEnd(): void;
  /**
   * The peer reset the stream, or broke its rules so that we did (code 3 or 4), or the session ended (code 14 or 15).
   * Both directions are over.
   */
  onReset(code: number): void;
  /** After `write` returned false: the queue is below its mark again. */
  onDrain(): void;
  /** One of these threw, and that has been reported: ends what the stream belongs to. */
  onFault?(): void;
}

export interface MuxStream {
  readonly id: number;
  /** The 4-byte stream type (agent-protocol.md §3). */
  readonly type: number;
  handler: MuxStreamHandler;
  /** Free for the owner (avoids a side map on the hot path). */
  context: unknown;
  /** Holds the peer to the window that every stream begins with, from the next grants on. */
  narrow: boolean;
  /** Bytes queued here and not yet framed. */
  readonly queued: number;
  /** Bytes that had not left when the stream was reset or its session ended: the peer has never had them. */
  readonly unsent: number;
  /** Nothing can be written any more (ended, reset or session over). */
  readonly writable: boolean;
  /** Both directions are over. */
  readonly closed: boolean;
  /**
   * Queues bytes. A buffer belongs to the stream until it has been pulled: do not reuse it before.
   * @param chunk text is latin1, as heads of HTTP/1 are: it goes into the frame without a buffer of its own
   * @returns false when the queue has passed its mark (256 KiB): wait for `onDrain`.
   */
  write(chunk: Buffer | string): boolean;
  /**
   * As {@link write}, for a chunk that is only valid during the call: a small one is framed at once, and what cannot leave
   * of others is copied.
   */
  writeShared(chunk: Buffer): boolean;
  /** FIN, after what is queued; `last` is written first. */
  end(last?: Buffer): void;
  /** RST: drops what is queued, ends both directions. No-op on a closed stream. */
  reset(code: number): void;
  /** RST behind what is queued, which the peer may take its time for. Nothing can be written any more. */
  resetBehind(code: number): void;
  /** `n` bytes given to `onData` have left this process: credit for the peer, batched. */
  consume(n: number): void;
}

/** Streams of ours that were reset and that the peer may still have. */
export interface LeavingStreams {
  /**
   * The peer does not say when it has dealt with a reset, nor does it notice one while its own side of a stream waits
   * (agent-protocol.md, annex): a stream that is reset is told so that it wakes, and counts until the peer has let go.
   * Servers only; false by default, and a stream that is reset is over.
   */
  slow: boolean;
  /** How many were reset without a sign that the peer has dealt with that. */
  readonly unsettled: number;
  /**
   * When something that is sent behind this call has been answered, `settle` with the number that this returned frees
   * what was reset before it.
   */
  mark(): number;
  settle(mark: number): void;
  /** Frees those that the peer has been told to leave for so long, and has not left. */
  expire(milliseconds: number): void;
}

export interface MuxSession {
  readonly role: 'client' | 'server';
  /** Streams open now, either side's, and those that the peer has not let go of. */
  readonly streamCount: number;
  readonly leaving: LeavingStreams;
  /** Of those, how many have this type. Looks at each. */
  countOf(type: number): number;
  readonly ended: boolean;
  /** Streams that this side can still open: ids are not used twice, and a session has a billion of them. */
  readonly idsLeft: number;
  /** Time-free activity mark: number of bytes received so far. */
  readonly bytesReceived: number;
  /** DATA frames that have been pulled so far. */
  readonly framesSent: number;
  /** Something of a stream has left, other than a heartbeat, and not a byte has come since. */
  readonly unanswered: boolean;
  /** Feeds what the wire delivered. The chunk is not kept. */
  receive(chunk: Buffer, start?: number, end?: number): void;
  /** The wire ended or broke: every stream gets `onReset`, then `onEnd` runs. */
  wireEnded(detail: string): void;
  /**
   * The next bytes for the wire, at most `limit` (default 131,072) but for small chunks that were framed when they came
   * ({@link MuxStream.writeShared}) and leave first: then control frames, then one frame of at most 16 KiB per stream in turn. `undefined` when
   * there is nothing. The buffer is the caller's until it calls {@link release}.
   */
  pull(limit?: number): Buffer | undefined;
  /** Gives a pulled buffer back to the pool, once the transport has written it. */
  release(buffer: Buffer): void;
  /** Opens a stream; its type (and `first`, if given) goes out in the one SYN frame. Throws after the session ended. */
  open(type: number, handler: MuxStreamHandler, first?: Buffer): MuxStream;
  /**
   * Queues GOAWAY behind everything that can be sent, and refuses new streams of either side from now on; the caller
   * closes the transport after `pull` is dry. Nothing is pulled after the GOAWAY.
   */
  goAway(code: number, detail: string): void;
  /** Changes how many streams of the peer's may be open at once; those that are open stay. */
  allowStreams(most: number): void;
  /** Ends the session here and now: streams get `onReset(14)`, then `onEnd(code)` runs. The caller closes the transport. */
  destroy(code: number, detail: string): void;
}
