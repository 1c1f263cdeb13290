/**
 * What an exchange and the codecs on both of its sides are to each other. Codecs know these and no exchange: whatever
 * speaks one of them can stand on that side.
 */
import type { PosternError } from '@postern/errors';
import type { AgentUpstream } from '@postern/link';
import type { BodySink } from '@postern/policy';
import type { MuxStream, RawFields } from '@postern/protocol';
import type { PlaceWait } from '../../places/place.ts';
import type { RequestDraft, ResponseDraft } from './message.ts';

/** A request body as it comes: stop for a while, go on. */
export interface BodySource {
  pause(): void;
  resume(): void;
}

/** The visitor's side: HTTP/1 on a socket, one HTTP/2 stream, or a call of a policy. */
export interface Downstream extends BodySource, BodySink {
  /** Whether the visitor's protocol can carry a final head with these fields. */
  carries(head: { readonly fields: RawFields }): boolean;
  /** 1xx other than 101. */
  informational(status: number, reason: string, fields: RawFields): void;
  /** The final head. Its fields hold none of one hop; a Content-Length agrees with its framing. */
  head(draft: ResponseDraft): void;
  /** Copies `chunk[start..end)`. @returns false when the source should wait for `Exchange.downstreamDrained` */
  body(chunk: Buffer, start: number, end: number): boolean;
  trailers(fields: RawFields): void;
  /** The response is complete. */
  end(): void;
  /** Hands over to raw bytes after 101; `rest` = bytes of the agent's behind the head. */
  switchProtocols(reason: string, fields: RawFields, stream: MuxStream, rest: Buffer | null): void;
  /** Cuts the response so that the visitor cannot take it for complete. */
  abort(): void;
  /** Ends the connection (HTTP/2: the stream) without an answer. */
  close(): void;
  /** Takes an error of ours as it is, and no page: for those who are no visitors. */
  refused?(error: PosternError): void;
}

/** The service's side: HTTP/1 or HTTP/2 on an agent stream. */
export interface Upstream extends BodySource, BodySink {
  /** Trailers may follow an answer whose length is known: HTTP/2 allows both. */
  readonly mayTrail: boolean;
  /** `chunk` is fresh memory: it may be kept. @returns false when the source should wait for `upstreamDrained` */
  body(chunk: Buffer, start: number, end: number): boolean;
  trailers(fields: RawFields): void;
  /** The request is complete. */
  end(): void;
  /** The visitor will send nothing more on this connection. */
  visitorFinished(): void;
  /** Response bytes: the visitor is slow, the visitor can take more. */
  pause(): void;
  resume(): void;
  /** What waits here costs more than its bytes: no more of this answer than needed should be under way. */
  narrow?(): void;
  /** Nothing after the head is delivered until `release`. */
  hold(): void;
  release(): void;
  /** The answer is not wanted any more. */
  cancel(): void;
}

/** The exchange, as its upstream sees it: what to ask the service, and where its answer goes. */
export interface UpstreamOwner {
  readonly request: RequestDraft;
  /** The request has been read to its end. */
  readonly requestEnded: boolean;
  /** What the agent says it forwards to. */
  readonly upstreamName: string;
  /** Waiting for a place at the agent. */
  readonly placeWait: PlaceWait | null;
  attach(upstream: Upstream): void;
  upstreamDrained(): void;
  informational(status: number, reason: string, fields: RawFields): void;
  responseHead(draft: ResponseDraft): void;
  /** @returns false when the upstream should wait for `resume` */
  responseBody(chunk: Buffer, start: number, end: number): boolean;
  responseTrailers(fields: RawFields): void;
  /** The upstream has forgotten this exchange when it calls this, or the others that end it. */
  responseEnd(): void;
  upstreamFailed(failure: UpstreamFailure): void;
  switchProtocols(reason: string, fields: RawFields, stream: MuxStream, rest: Buffer | null): void;
}

export interface UpstreamFailure {
  /** null = it was none of an agent's. */
  readonly upstream: AgentUpstream | null;
  readonly error: PosternError;
  /** For the traffic event. */
  readonly reason: 'agent-gone' | 'upstream-reset' | 'upstream-closed' | 'upstream-invalid';
  /** Which requests another try is safe for, as long as no body byte was consumed. */
  readonly retry: 'any' | 'idempotent' | 'none';
  /** All of the body that the upstream was given, when it can be given to another; absent or null = it cannot. */
  readonly body?: readonly Buffer[] | null;
}
