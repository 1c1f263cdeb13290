/**
 * One request and its answer. The Exchange stands between a server codec (`Downstream`, the visitor's side) and a client
 * codec (`Upstream`, the service's side); pipeline, policy, pages and logs see only it. One object per request, no
 * streams: bytes go from codec to codec by direct calls, and a codec that is full says so by its return value.
 */
import { REQUEST_BUDGET, type BodyFilter, type ConnView, type FilterMaker, type FilterOutput } from '@postern/policy';
import type { PosternError } from '@postern/errors';
import type { MuxStream, RawFields, RequestHead } from '@postern/protocol';
import type { LiveEndpoint, Route } from '../../context.ts';
import type { PlaceWait } from '../../places/place.ts';
import { FilterChain } from '../filters/chain.ts';
import { Collect } from '../filters/collect.ts';
import type { Frame } from './frame.ts';
import { type RequestDraft, requestDraft, type ResponseDraft } from './message.ts';
import type { Downstream, Upstream, UpstreamFailure, UpstreamOwner } from './ports.ts';
import { RequestBody } from './request-body.ts';
import type { Requester } from './requester.ts';

/** What the exchange asks of the pipeline. */
export interface Stages {
  /** The upstream's final head is in `exchange.draft`. */
  answered(exchange: Exchange): void;
  /** The upstream failed before its head. */
  failed(exchange: Exchange, failure: UpstreamFailure): void;
  /** A body cannot go on as a policy wants it changed. */
  unfilterable(exchange: Exchange): void;
  finished(exchange: Exchange, reason: string): void;
}

/** The pipeline, as visitors' codecs enter it. */
export interface VisitorStages extends Stages {
  /** The head of a request is here. */
  begin(exchange: Exchange): void;
  /** A page of ours in the place of an answer that will not come. */
  answerError(exchange: Exchange, error: PosternError): void;
}

/** Where the request is; it only ever goes on, but that a forward that failed is decided on again. */
export const Phase = {
  /** Its endpoint is looked for, and rules judge it. */
  deciding: 0,
  /** A service has it, or a place for it is waited for. */
  sending: 1,
  /** The head of an answer has been given to the visitor. */
  answering: 2,
  /** The connection carries another protocol. */
  switched: 3,
  over: 4,
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

export class Exchange implements UpstreamOwner {
  readonly requester: Requester;
  readonly downstream: Downstream;
  readonly stages: Stages;
  readonly startedAt: number;
  readonly request: RequestDraft;
  /** null = the request has none. */
  readonly body: RequestBody | null;
  phase: Phase = Phase.deciding;
  /** As the visitor has it: the connection's, or what a believed proxy says (believed.ts). */
  conn: ConnView;

  /** The endpoint that the visitor named, and the one whose turn it is (after forwards). */
  entry: LiveEndpoint | null = null;
  current: LiveEndpoint | null = null;
  /** Where `current` comes from: its pool. */
  route: Route | null = null;
  hops = 0;
  /** Endpoints through which the request has entered the edge before (hop-mark.ts). */
  trail = '';
  /** The fields carry this edge's mark. */
  marked = false;
  /** Policies under way, outermost first; null = none so far. */
  frames: Frame[] | null = null;
  /** What their rules may still cost, all together (WorkLeft). */
  unitsLeft = REQUEST_BUDGET;

  upstream: Upstream | null = null;
  upstreamName = '';
  attempts = 0;
  /** Agent session that the body goes to, as `Uploads` has it. */
  uploadSession = '';
  placeWait: PlaceWait | null = null;
  /** FIN behind the request. */
  visitorFinished = false;

  draft: ResponseDraft | null = null;
  /** What the answer's body passes first; null = it goes to the visitor as it is. */
  filter: BodyFilter | null = null;
  /** The connection ends with this answer. */
  closing = false;
  bytesIn = 0;
  bytesOut = 0;
  status = 0;
  errorCode = '';
  private aborter: AbortController | null = null;

  constructor(
    requester: Requester,
    downstream: Downstream,
    stages: Stages,
    head: RequestHead,
    version: string,
    now: number,
  ) {
    this.requester = requester;
    this.downstream = downstream;
    this.stages = stages;
    this.startedAt = now;
    this.conn = requester.connection.conn;
    this.request = requestDraft(head, version, requester.connection.scheme);
    this.body =
      head.framing.kind === 'none'
        ? null
        : new RequestBody(this.request, downstream, requester.guard, () => stages.unfilterable(this));
  }

  /** The visitor is being answered, or nobody waits any more. */
  get responding(): boolean {
    return this.phase >= Phase.answering;
  }

  get finished(): boolean {
    return this.phase === Phase.over;
  }

  // From the visitor.

  get requestEnded(): boolean {
    return this.body === null || this.body.ended;
  }

  /** Whether request body bytes may come now; else the codec holds them until `Downstream.resume`. */
  get takesBody(): boolean {
    return this.upstream !== null || this.responding || this.body?.wanted === true;
  }

  /** Its body is being sent to a service, which waits for the visitor. */
  get uploading(): boolean {
    const { body, upstream } = this;
    return body !== null && upstream !== null && !this.responding && !body.ended && !body.waits;
  }

  requestBody(chunk: Buffer, start: number, end: number): void {
    this.bytesIn += end - start;
    this.body?.take(chunk, start, end);
  }

  requestTrailers(fields: RawFields): void {
    this.body?.trailers(fields);
  }

  requestEnd(): void {
    if (!this.requestEnded) this.body?.end();
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
    if (this.filter !== null) this.filter.resume();
    else this.upstream?.resume();
  }

  // From the upstream.

  attach(upstream: Upstream): void {
    this.upstream = upstream;
    this.body?.attach(upstream);
    if (this.visitorFinished) upstream.visitorFinished();
  }

  upstreamDrained(): void {
    this.body?.drained();
  }

  informational(status: number, reason: string, fields: RawFields): void {
    if (!this.responding) this.downstream.informational(status, reason, fields);
  }

  responseHead(draft: ResponseDraft): void {
    this.draft = draft;
    this.stages.answered(this);
  }

  responseBody(chunk: Buffer, start: number, end: number): boolean {
    if (this.filter !== null) return this.filter.body(chunk, start, end);
    this.bytesOut += end - start;
    return this.downstream.body(chunk, start, end);
  }

  responseTrailers(fields: RawFields): void {
    if (this.responding) this.downstream.trailers(fields);
  }

  responseEnd(): void {
    this.upstream = null;
    if (this.filter !== null) this.filter.end();
    else this.complete();
  }

  upstreamFailed(failure: UpstreamFailure): void {
    this.upstream = null;
    this.body?.detach();
    if (this.finished) return;
    this.dropFilter();
    if (!this.responding) {
      this.stages.failed(this, failure);
      return;
    }
    this.downstream.abort();
    this.finish(failure.reason);
  }

  switchProtocols(reason: string, fields: RawFields, stream: MuxStream, rest: Buffer | null): void {
    this.upstream = null;
    this.phase = Phase.switched;
    this.body?.answered();
    this.status = 101;
    this.downstream.switchProtocols(reason, fields, stream, rest);
  }

  // The answer.

  /** A short body is not shown to the visitor before somebody has seen all of it. */
  collect(done: (body: Buffer) => void): void {
    this.filter = new Collect((body) => {
      this.filter = null;
      done(body);
    });
  }

  /**
   * Its head is given to the visitor: from here on its body may come.
   * @param filters that the body passes; `live` as for them
   */
  answer(draft: ResponseDraft, filters: readonly FilterMaker[] | null, live: boolean): void {
    const { status, reason, fields, framing } = draft;
    this.status = status;
    this.phase = Phase.answering;
    this.body?.answered();
    this.filter = filters === null ? null : this.filtered(filters, live);
    this.downstream.head(status, reason, fields, framing);
  }

  private filtered(filters: readonly FilterMaker[], live: boolean): BodyFilter {
    const output: FilterOutput = {
      body: (chunk, start, end) => {
        this.bytesOut += end - start;
        return this.downstream.body(chunk, start, end);
      },
      end: () => this.complete(),
      drained: () => this.upstream?.resume(),
      failed: () => {
        this.dropUpstream();
        this.downstream.abort();
        this.finish('internal');
      },
    };
    return new FilterChain(filters, live, output, this.requester.guard);
  }

  private dropFilter(): void {
    this.filter?.destroy();
    this.filter = null;
  }

  // Ends.

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
    this.body?.detach();
    this.dropFilter();
    upstream?.cancel();
  }

  /** Aborted when the exchange is over. Made for the first who asks. */
  get signal(): AbortSignal {
    this.aborter ??= new AbortController();
    if (this.finished) this.aborter.abort();
    return this.aborter.signal;
  }

  /** Exactly once: the event goes out. */
  finish(reason: string): void {
    if (this.finished) return;
    this.phase = Phase.over;
    this.body?.release();
    this.stages.finished(this, reason);
    this.aborter?.abort();
  }
}
