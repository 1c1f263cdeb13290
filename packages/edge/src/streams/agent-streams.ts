/**
 * How the code that serves visitors opens a stream into an agent. It names a session and a tunnel, and is given a stream;
 * where the session's wire is, and what carries the stream there, it does not see. Sessions whose wire is here:
 * `local-streams.ts`.
 */
import type { PosternError } from '@postern/errors';
import type { AgentUpstream, Scheme } from '@postern/link';
import type { MuxStream, MuxStreamHandler } from '@postern/protocol';
import type { PlaceClaim, PlaceWait, Reclaimer } from '../places/place.ts';

/** What a proxied stream is opened for (agent-protocol.md §6). */
export interface StreamPurpose {
  readonly clientAddr: string;
  readonly proto: Scheme;
  readonly edgeType: '0' | '1' | '2' | '3';
  readonly passthroughTls: boolean;
}

/** `tunnelId`: null = all that the session had. */
export type GoneListener = (sessionId: string, tunnelId: string | null) => void;

export interface AgentStreams {
  /** The session is online and has a place that whoever claims may take now. */
  canOpen(upstream: AgentUpstream, claim: PlaceClaim): boolean;
  /** Others wait for a place of the session: what has nothing under way is not kept. */
  scarce(upstream: AgentUpstream): boolean;
  isOnline(upstream: AgentUpstream): boolean;
  /**
   * Opens a proxied stream; type, header, PROXY header and `first` leave in one frame.
   * @throws PosternError 3210 when the session is gone, 743 when it is at its cap
   */
  open(
    upstream: AgentUpstream,
    claim: PlaceClaim,
    purpose: StreamPurpose,
    proxyHeader: Buffer | null,
    handler: MuxStreamHandler,
    first?: Buffer,
  ): MuxStream;
  /**
   * Waits for a place, in turn. `onPlace` runs once, unless it is cancelled: with null when a stream can be opened in
   * that call (or the session is gone, which opening tells), with 743 after `limits.queueMs`.
   */
  wait(upstream: AgentUpstream, claim: PlaceClaim, onPlace: (error: PosternError | null) => void): PlaceWait;
  /** Registers who can spare places when others wait for them. */
  onPressure(reclaimer: Reclaimer): void;
  /** Runs when a session is gone, or one endpoint of it (`tunnelId`), so that kept streams are forgotten. */
  onGone(listener: GoneListener): void;
}
