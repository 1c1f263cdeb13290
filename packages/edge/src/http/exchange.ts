/**
 * One request and its answer. The Exchange stands between a server codec (`Downstream`, the visitor's side) and a
 * client codec (`Upstream`, the service's side); pipeline, policy, pages and logs see only it. One object per request,
 * no streams: bytes go from codec to codec by direct calls, and a codec that is full says so by its return value.
 */
import type { PosternError } from '@postern/errors';
import { REQUEST_BUDGET, type ConnView, type UrlView } from '@postern/policy';
import type { Framing, MuxStream, RawFields, RequestHead } from '@postern/protocol';
import type { LiveEndpoint, Route } from '../context.ts';
import type { AgentUpstream } from '@postern/link';
import type { PlaceWait } from '../places/place.ts';
import type { EncodedBody } from './encode-body.ts';
import type { Frame } from './frame.ts';
import type { HeldBody } from './held-body.ts';
import type { ResponseDraft } from './policy-views.ts';
import type { Visitor } from './visitor.ts';

/** The visitor's side: HTTP/1 on a socket, or one HTTP/2 stream. */
export interface Downstream {
  /** Whether the visitor's protocol can carry a final head with these fields. */
  carries(fields: RawFields): boolean;
  /** 1xx other than 101. */
  informational(status: number, reason: string, fields: RawFields): void;
  /**
   * The final head. `fields` hold no field of one hop; a Content-Length agrees with `framing`.
   */
  head(status: number, reason: string, fields: RawFields, framing: Framing): void;
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
  /** Request body: stop for a while, go on. */
  pause(): void;
  resume(): void;
  /** Takes an error of ours as it is, and no page: for those who are no visitors. */
  refused?(error: PosternError): void;
}

/** The service's side: HTTP/1 or HTTP/2 on an agent stream. */
export interface Upstream {
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
  /** Nothing after the head is delivered until `release`. */
  hold(): void;
  release(): void;
  /** The answer is not wanted any more. */
  cancel(): void;
}

export interface UpstreamFailure {
  readonly upstream: AgentUpstream;
  readonly error: PosternError;
  /** For the traffic event. */
  readonly reason: 'agent-gone' | 'upstream-reset' | 'upstream-closed' | 'upstream-invalid';
  /** Which requests another try is safe for, as long as no body byte was consumed. */
  readonly retry: 'any' | 'idempotent' | 'none';
  /** All of the body that the upstream was given, when it can be given to another; absent or null = it cannot. */
  readonly body?: readonly Buffer[] | null;
}

/** What the exchange asks of the pipeline. */
export interface Stages {
  /** The upstream's final head is in `exchange.draft`. */
  answered(exchange: Exchange): void;
  /** The upstream failed before its head. */
  failed(exchange: Exchange, failure: UpstreamFailure): void;
  finished(exchange: Exchange, reason: string): void;
}

/** A 502 of an agent's own making is told by its short body; it is read before the visitor sees anything. */
export interface Probe {
  readonly limit: number;
  bytes: number;
  readonly parts: Buffer[];
  readonly done: (exchange: Exchange, body: Buffer) => void;
}

export class Exchange {
  readonly visitor: Visitor;
  readonly downstream: Downstream;
  readonly stages: Stages;
  readonly startedAt: number;
  readonly version: string;
  readonly authority: string;
  readonly upgrade: string;
  readonly requestFraming: Framing;
  /** As the visitor has it: the connection's, or what a believed proxy says (believed.ts). */
  scheme: 'http' | 'https';
  conn: ConnView;
  /** As sent; policies may change them. Fields are prepared for the next hop before policies see them. */
  method: string;
  target: string;
  fields: RawFields;
  /** Rules have rewritten the URL: scheme and authority that later rules see, and the target that the visitor asked for. */
  rewritten: UrlView | null = null;

  /** The endpoint that the visitor named, and the one whose turn it is (after forwards). */
  entry: LiveEndpoint | null = null;
  current: LiveEndpoint | null = null;
  /** Where `current` comes from: its pool. */
  route: Route | null = null;
  hops = 0;
  /** Endpoints through which the request has entered the edge before (hop-mark.ts). */
  trail = '';
  /** `fields` carry this edge's mark. */
  marked = false;
  /** Policies under way, outermost first; null = none so far. */
  frames: Frame[] | null = null;
  /** What their rules may still cost, all together (WorkLeft). */
  unitsLeft = REQUEST_BUDGET;

  upstream: Upstream | null = null;
  /** What the agent says it forwards to. */
  upstreamName = '';
  attempts = 0;
  /** Host that a policy has put in place of the visitor's; '' = none. */
  rewrittenHost = '';
  requestEnded: boolean;
  private requestTrailer: RawFields | null = null;
  /** A service has been given bytes of it that nobody keeps here. */
  bodyConsumed = false;
  /** What policies have read of it; null = none has. */
  held: HeldBody | null = null;
  /** What another upstream was given of the body, for the next one; null = nothing. */
  replay: readonly Buffer[] | null = null;
  /** Agent session that the body goes to, as `Uploads` has it. */
  uploadSession = '';
  /** Waiting for a place at the agent. */
  placeWait: PlaceWait | null = null;
  /** The body waits for the service, not for the visitor. */
  uploadHeld = false;
  /** The upstream is being given what was held, and what comes meanwhile stands behind it. */
  private giving = false;
  visitorFinished = false;

  draft: ResponseDraft | null = null;
  /** Whole body of an answer made here. */
  localBody: Buffer | null = null;
  probe: Probe | null = null;
  encoded: EncodedBody | null = null;
  /** The final head has been given to the downstream. */
  responding = false;
  /** The connection ends with this answer. */
  closing = false;
  finished = false;
  bytesIn = 0;
  bytesOut = 0;
  status = 0;
  errorCode = '';
  private over: AbortController | null = null;

  constructor(
    visitor: Visitor,
    downstream: Downstream,
    stages: Stages,
    head: RequestHead,
    version: string,
    now: number,
  ) {
    this.visitor = visitor;
    this.downstream = downstream;
    this.stages = stages;
    this.startedAt = now;
    this.scheme = visitor.connection.scheme;
    this.conn = visitor.connection.conn;
    this.version = version;
    this.authority = head.authority;
    this.upgrade = head.upgrade;
    this.requestFraming = head.framing;
    this.method = head.method;
    this.target = head.target;
    this.fields = head.fields;
    this.requestEnded = head.framing.kind === 'none';
  }

  // From the visitor.

  /** Whether request body bytes may come now; else the codec holds them until `Downstream.resume`. */
  get takesBody(): boolean {
    return this.upstream !== null || this.responding || this.finished || this.held?.wanted === true;
  }

  requestBody(chunk: Buffer, start: number, end: number): void {
    this.bytesIn += end - start;
    const { upstream, held } = this;
    // Behind bytes that are held, these have to wait for their turn.
    if (held !== null && (upstream === null || this.giving)) return held.keep(chunk, start, end);
    if (upstream === null) return;
    this.bodyConsumed = true;
    if (upstream.body(chunk, start, end)) return;
    this.uploadHeld = true;
    this.downstream.pause();
  }

  requestTrailers(fields: RawFields): void {
    this.requestTrailer = fields;
    if (!this.giving) this.upstream?.trailers(fields);
  }

  requestEnd(): void {
    if (this.requestEnded) return;
    this.requestEnded = true;
    this.held?.ended();
    if (!this.giving) this.upstream?.end();
  }

  /**
   * FIN behind a complete request: the service is told, and may still answer. While none has the request yet, a FIN
   * cannot be told from leaving, and there is nobody to ask: the exchange ends.
   * @returns whether an answer may still come
   */
  visitorHalfClosed(): boolean {
    this.visitorFinished = true;
    if (this.upstream === null && !this.responding) {
      this.visitorGone('client-gone');
      return false;
    }
    this.upstream?.visitorFinished();
    return true;
  }

  visitorGone(reason: string): void {
    if (this.finished) return;
    this.dropUpstream();
    this.finish(reason);
  }

  downstreamDrained(): void {
    if (this.encoded !== null) this.encoded.resume();
    else this.upstream?.resume();
  }

  // From the upstream.

  attach(upstream: Upstream): void {
    this.upstream = upstream;
    const { replay, held } = this;
    this.replay = null;
    if (replay !== null) for (const part of replay) upstream.body(part, 0, part.length);
    else if (held !== null) {
      held.rewind();
      this.giving = !held.give(upstream);
    }
    if (!this.giving) this.bodyGiven(upstream);
    if (this.visitorFinished) upstream.visitorFinished();
  }

  /** The upstream has all that was here before it. */
  private bodyGiven(upstream: Upstream): void {
    this.giving = false;
    if (this.responding) this.held?.release();
    if (this.requestFraming.kind === 'none') return;
    // A body can have ended before anybody was there to take it, or with the try before this one.
    if (this.requestEnded) {
      if (this.requestTrailer !== null) upstream.trailers(this.requestTrailer);
      upstream.end();
    }
    this.downstream.resume();
  }

  upstreamDrained(): void {
    this.uploadHeld = false;
    const { upstream, held } = this;
    if (!this.giving || upstream === null || held === null) this.downstream.resume();
    else if (held.give(upstream)) this.bodyGiven(upstream);
  }

  informational(status: number, reason: string, fields: RawFields): void {
    if (!this.responding) this.downstream.informational(status, reason, fields);
  }

  responseHead(draft: ResponseDraft): void {
    this.draft = draft;
    this.stages.answered(this);
  }

  /** @returns false when the upstream should wait for `resume` */
  responseBody(chunk: Buffer, start: number, end: number): boolean {
    const { probe } = this;
    if (probe !== null) {
      probe.bytes += end - start;
      if (probe.bytes <= probe.limit) probe.parts.push(Buffer.from(chunk.subarray(start, end)));
      return true;
    }
    if (this.encoded !== null) return this.encoded.write(chunk, start, end);
    this.bytesOut += end - start;
    return this.downstream.body(chunk, start, end);
  }

  responseTrailers(fields: RawFields): void {
    if (this.probe === null) this.downstream.trailers(fields);
  }

  /** The upstream has forgotten this exchange when it calls this. */
  responseEnd(): void {
    this.upstream = null;
    const { probe } = this;
    if (probe !== null) {
      this.probe = null;
      probe.done(this, Buffer.concat(probe.parts));
    } else if (this.encoded !== null) this.encoded.end();
    else this.complete();
  }

  upstreamFailed(failure: UpstreamFailure): void {
    this.upstream = null;
    this.giving = false;
    if (this.finished) return;
    this.probe = null;
    if (!this.responding) {
      this.stages.failed(this, failure);
      return;
    }
    this.encoded?.destroy();
    this.downstream.abort();
    this.finish(failure.reason);
  }

  switchProtocols(reason: string, fields: RawFields, stream: MuxStream, rest: Buffer | null): void {
    this.upstream = null;
    this.answering();
    this.status = 101;
    this.downstream.switchProtocols(reason, fields, stream, rest);
  }

  // Ends.

  /** The visitor is being answered: nobody else is sent the request, and the answer may take hours. */
  answering(): void {
    this.responding = true;
    if (!this.giving) this.held?.release();
  }

  complete(): void {
    if (this.finished) return;
    this.downstream.end();
    this.finish('complete');
  }

  dropUpstream(): void {
    const { upstream } = this;
    this.placeWait?.cancel();
    this.placeWait = null;
    this.upstream = null;
    this.giving = false;
    this.probe = null;
    this.encoded?.destroy();
    this.encoded = null;
    upstream?.cancel();
  }

  /** Aborted when the exchange is over. Made for the first who asks. */
  get signal(): AbortSignal {
    this.over ??= new AbortController();
    if (this.finished) this.over.abort();
    return this.over.signal;
  }

  /** Exactly once: the event goes out. */
  finish(reason: string): void {
    if (this.finished) return;
    this.finished = true;
    this.held?.release();
    this.stages.finished(this, reason);
    this.over?.abort();
  }
}
