/**
 * One request and its answer. The Exchange stands between a server codec (`Downstream`, the visitor's side) and a client
 * codec (`Upstream`, the service's side); pipeline, policy, pages and logs see only it. One object per request, no
 * streams: bytes go from codec to codec by direct calls, and a codec that is full says so by its return value.
 */
import {
  REQUEST_BUDGET,
  REQUEST_EFFORT,
  type BodyFilter,
  type ConnView,
  type ExchangeEnd,
  type FilterMaker,
  type FilterOutput,
} from '@postern/policy';
import type { PosternError } from '@postern/errors';
import type { MuxStream, RawFields, RequestHead } from '@postern/protocol';
import type { LiveEndpoint, Route } from '../../context.ts';
import type { PlaceWait } from '../../places/place.ts';
import { FilterChain } from '../filters/chain.ts';
import { Collect } from '../filters/collect.ts';
import type { Access } from './access.ts';
import { HeldAnswer } from './held-answer.ts';
import type { HeldBody } from './held-body.ts';
import type { Frame } from './frame.ts';
import { sizeOf } from './fields.ts';
import { RequestDraft, type ResponseDraft } from './message.ts';
import type { Downstream, Upstream, UpstreamFailure, UpstreamOwner } from './ports.ts';
import { RequestBody } from './request-body.ts';
import type { Requester } from './requester.ts';

/** Of all 1xx heads before one answer, each with what it costs on top of its fields. Nobody who works sends as much. */
const MOST_INTERIM_BYTES = 262_144;
const INTERIM_BYTES = 128;

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
  /** What the visitor's browser keeps of log-ins, taken out of the fields. */
  loginCookies = '';
  /** The fields carry this edge's mark. */
  marked = false;
  /** Policies under way, outermost first; null = none so far. */
  frames: Frame[] | null = null;
  /** What their rules may still cost, all together (WorkLeft). */
  unitsLeft = REQUEST_BUDGET;
  effortLeft = REQUEST_EFFORT;

  upstream: Upstream | null = null;
  upstreamName = '';
  /** The edge whose agent it was sent to at last: '' = this one; null = to none. */
  servedAt: string | null = null;
  attempts = 0;
  /** Agent session that the body goes to, as `Uploads` has it. */
  uploadSession = '';
  placeWait: PlaceWait | null = null;
  /** FIN behind the request. */
  visitorFinished = false;

  draft: ResponseDraft | null = null;
  /** Fields that policies put on whatever answer leaves; null = none. */
  answerFields: RawFields | null = null;
  /** Who is told how it ended; null = nobody. */
  listeners: ((end: ExchangeEnd) => void)[] | null = null;
  /** The connection ends with this answer. */
  closing = false;
  bytesIn = 0;
  bytesOut = 0;
  status = 0;
  errorCode = '';
  /** null = nobody keeps an access log. */
  access: Access | null = null;
  /** Where the answer's body goes first, and what goes on when the visitor takes more; null = no filter is between. */
  private first: BodyFilter | null = null;
  private last: BodyFilter | null = null;
  private held: HeldAnswer | null = null;
  private interimBytes = 0;
  /** Trailers that came before the head had gone to the visitor. */
  private trailer: RawFields | null = null;
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
    this.request = new RequestDraft(head, version, requester.connection.scheme);
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
    if (!this.requestEnded) this.body?.end(this.requester.now());
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
    if (this.last !== null) this.last.resume();
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
    if (this.responding) return;
    // Nothing holds a service back that sends them to a visitor who does not read: what is too much is dropped.
    this.interimBytes += INTERIM_BYTES + sizeOf(fields);
    if (this.interimBytes <= MOST_INTERIM_BYTES) this.downstream.informational(status, reason, fields);
  }

  responseHead(draft: ResponseDraft): void {
    this.draft = draft;
    this.stages.answered(this);
  }

  responseBody(chunk: Buffer, start: number, end: number): boolean {
    if (this.first !== null) return this.first.body(chunk, start, end);
    this.bytesOut += end - start;
    return this.downstream.body(chunk, start, end);
  }

  responseTrailers(fields: RawFields): void {
    if (this.responding) this.downstream.trailers(fields);
    else this.trailer = fields;
  }

  responseEnd(): void {
    this.upstream = null;
    if (this.first !== null) this.first.end();
    else this.complete();
  }

  upstreamFailed(failure: UpstreamFailure): void {
    this.upstream = null;
    this.body?.detach();
    if (this.finished) return;
    this.dropFilters();
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
    if (this.access !== null) this.access.headMs = this.requester.now() - this.startedAt;
    if (this.answerFields !== null) fields.push(...this.answerFields);
    this.downstream.switchProtocols(reason, fields, stream, rest);
  }

  // The answer.

  /** A short body is not shown to the visitor before somebody has seen all of it. */
  collect(done: (body: Buffer) => void): void {
    this.first = new Collect((body) => {
      this.first = null;
      done(body);
    });
  }

  /** The answer's body is held for a policy that reads it, until the head goes to the visitor. */
  holdAnswer(held: HeldBody): void {
    this.held = new HeldAnswer(held);
    this.first = this.held;
    this.last = this.held;
    this.upstream?.release();
  }

  /** Of the answer, if it is being held. */
  get heldAnswer(): HeldBody | null {
    return this.held?.held ?? null;
  }

  /**
   * Its head is given to the visitor: from here on its body may come.
   * @param filters that the body passes; `live` as for them
   */
  answer(draft: ResponseDraft, filters: readonly FilterMaker[] | null, live: boolean): void {
    this.status = draft.status;
    this.phase = Phase.answering;
    if (this.access !== null) this.access.headMs = this.requester.now() - this.startedAt;
    this.body?.answered();
    const chain = filters === null ? null : new FilterChain(filters, live, this.output, this.requester.guard);
    this.last = chain;
    if (this.held === null) this.first = chain;
    this.downstream.head(draft);
    this.giveHeld(chain);
  }

  private giveHeld(chain: FilterChain | null): void {
    const { held } = this;
    if (held === null) return;
    this.last ??= held;
    held.giveTo(chain ?? this.output, () => {
      this.held = null;
      this.first = chain;
      this.last = chain;
      if (held.ended) this.responseEnd();
      else this.upstream?.resume();
    });
  }

  /** Behind all filters. */
  private get output(): FilterOutput {
    return {
      body: (chunk, start, end) => {
        this.bytesOut += end - start;
        return this.downstream.body(chunk, start, end);
      },
      end: () => this.complete(),
      drained: () => (this.held === null ? this.upstream?.resume() : this.held.resume()),
      failed: () => {
        this.dropUpstream();
        this.downstream.abort();
        this.finish('internal');
      },
    };
  }

  private dropFilters(): void {
    this.first?.destroy();
    if (this.last !== this.first) this.last?.destroy();
    this.first = null;
    this.last = null;
    this.held = null;
    this.trailer = null;
  }

  // Ends.

  complete(): void {
    if (this.finished) return;
    if (this.trailer !== null) this.downstream.trailers(this.trailer);
    this.downstream.end();
    this.finish('complete');
  }

  dropUpstream(): void {
    const { upstream } = this;
    this.placeWait?.cancel();
    this.placeWait = null;
    this.upstream = null;
    this.body?.detach();
    this.dropFilters();
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
    if (this.listeners !== null) this.tell(this.listeners, reason);
  }

  private tell(listeners: readonly ((end: ExchangeEnd) => void)[], reason: string): void {
    const { status, errorCode, bytesIn, bytesOut, requester } = this;
    const end = { status, errorCode, reason, bytesIn, bytesOut, ms: requester.now() - this.startedAt };
    for (const listener of listeners) requester.guard.run(() => listener(end));
  }
}
