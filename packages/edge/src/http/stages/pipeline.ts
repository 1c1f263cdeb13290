/**
 * What happens to a request, in order. The order is the contract (docs/design.md §3; traffic-policy.md §2):
 *
 *  0. own business     what a certificate authority asks for, and who comes back from an identity provider, whoever has the name
 *  1. route            the host finds the endpoint; before anything else, since all else is the endpoint's
 *  2. connection rules of plain http endpoints, which no earlier moment could name
 *  3. forwarding       fields of one hop and reserved ones go, x-forwarded-* come: policies see what the service sees
 *  4. on_http_request  of the endpoint; `forward-internal` goes on with the target's, nested
 *  5. upstream         only what no rule has answered; with its retries
 *  6. on_http_response innermost policy first, the visitor's endpoint last; behind each, on_event_stream_message
 *  7. deliver          head, body, trailers
 *  8. finish           exactly once: one traffic event
 */
import { fail, isPosternError, type PosternError } from '@postern/errors';
import type { InternalAddress, Outcome, PolicyServices } from '@postern/policy';
import { originForm } from '@postern/protocol';
import type { EdgeContext, LiveEndpoint } from '../../context.ts';
import { findForward, nextHop } from '../../routing/forward.ts';
import { hasHttpRules } from '../../routing/live-endpoint.ts';
import { CidrList } from '../../connection/cidr-list.ts';
import { accessOf } from '../exchange/access.ts';
import { believeProxy } from './believed.ts';
import { admit, connectionRules } from './connection-rules.ts';
import { answerAsTold, answerWithPage } from '../answers/answer.ts';
import { deliver, isCarried } from './deliver.ts';
import { dialFailure, isDialMessage, mayBeDialFailure } from '../client/dial-failure.ts';
import { Dispatcher } from './dispatch.ts';
import { type Exchange, Phase, type VisitorStages } from '../exchange/exchange.ts';
import type { ResponseDraft } from '../exchange/message.ts';
import type { UpstreamFailure } from '../exchange/ports.ts';
import { addMessageRules } from './event-stream.ts';
import { findEndpoint } from './find-endpoint.ts';
import { mapLocation, settleRequestFields, settleResponseFields } from '../exchange/forwarding.ts';
import { prepareRequestFields } from '../exchange/prepared-fields.ts';
import type { Frame } from '../exchange/frame.ts';
import { ownBusiness } from './own-business.ts';
import { answerElsewhere, secureLocation } from './other-scheme.ts';
import type { HopMarks } from '../exchange/hop-mark.ts';
import { WEBSOCKET_VERSION } from '../client/websocket.ts';
import { InternalCalls } from '../policy/internal-calls.ts';
import type { KeptIndex } from '../client/kept.ts';
import { HttpPolicyContext, responseView } from '../policy/views.ts';
import { relay } from './relay.ts';
import { settle, type Waiting } from './settle.ts';
import { trafficEvent } from './traffic-event.ts';
import { Uploads } from './uploads.ts';

/** Agents that lost their server come back within seconds, if it was there again in time. */
const RETRY_SOON = ['Retry-After', '3'] as const;

export class Pipeline implements VisitorStages, Waiting {
  readonly edge: EdgeContext;
  private readonly proxies: CidrList;
  private readonly dispatcher: Dispatcher;
  private readonly uploads: Uploads<Exchange>;
  private readonly marks: HopMarks;
  private readonly services: PolicyServices;

  constructor(edge: EdgeContext, kept: KeptIndex) {
    this.edge = edge;
    this.marks = edge.marks;
    this.services = { ...edge.services, outgoing: new InternalCalls(edge, this, kept) };
    this.proxies = new CidrList(edge.config.trustedProxies);
    this.uploads = new Uploads(edge.now);
    this.dispatcher = new Dispatcher(edge, this.uploads, (exchange, error) => {
      try {
        if (!isPosternError(error)) throw error;
        this.gatewayFailure(exchange, error);
      } catch (fault) {
        this.fault(exchange, fault);
      }
    });
  }

  /** A request's head is here. Nothing is thrown from here on: a fault of ours is answered 90010 and logged. */
  begin(exchange: Exchange): void {
    try {
      this.route(exchange);
    } catch (error) {
      this.fault(exchange, error);
    }
  }

  private route(exchange: Exchange): void {
    believeProxy(exchange, this.proxies);
    if (this.edge.config.accessLog) exchange.access = accessOf(exchange.conn, exchange.request);
    if (ownBusiness(this.edge, exchange)) return;
    const error = findEndpoint(this.edge, exchange);
    if (error !== null) return this.nowhere(exchange, error);
    const live = exchange.entry;
    if (live === null) return;
    const outcome = connectionRules(this.edge, exchange, live);
    if (outcome === null) this.forwarding(exchange, live);
    else settle(this, exchange, outcome, (settled) => this.connectionOutcome(exchange, live, settled));
  }

  /** No endpoint takes the request here; who came over plain HTTP may find it over HTTPS. */
  private nowhere(exchange: Exchange, error: PosternError): void {
    const location = error.number === 90001 ? secureLocation(this.edge, exchange) : null;
    if (location === null) return this.answerError(exchange, error);
    answerElsewhere(exchange, location);
    this.deliver(exchange);
  }

  private connectionOutcome(exchange: Exchange, live: LiveEndpoint, outcome: Outcome): void {
    switch (outcome.kind) {
      case 'continue':
        admit(exchange.requester, live);
        this.forwarding(exchange, live);
        return;
      case 'error':
        // The rules refuse the connection; since a request is here, it can be told why.
        exchange.closing = true;
        this.answerError(exchange, outcome.error, outcome.headers);
        return;
      case 'close':
        this.close(exchange);
        return;
      default:
        this.answerError(exchange, fail(2300, { type: 'on_tcp_connect' }));
    }
  }

  private forwarding(exchange: Exchange, live: LiveEndpoint): void {
    const { request, requester } = exchange;
    const asItCame = request.passesAsItCame(requester);
    if (!asItCame) exchange.trail = this.marks.take(request.fields);
    if (this.marks.judge(exchange.trail, live) === 'circle') return this.endCircle(exchange);
    request.target = originForm(request.method, request.target);
    if (!asItCame)
      exchange.loginCookies = prepareRequestFields(request.fields, requester.connection, request.authority);
    this.enter(exchange, live);
  }

  /** The endpoint leads back to itself (hop-mark.ts). */
  private endCircle(exchange: Exchange): void {
    const url = exchange.entry?.endpoint.publicUrl ?? '';
    this.answerError(exchange, fail(90013, { url }), exchange.trail === '' ? [] : [this.marks.ended]);
  }

  private enter(exchange: Exchange, live: LiveEndpoint): void {
    exchange.current = live;
    const { policy } = live;
    if (policy === null || !hasHttpRules(policy)) {
      this.passed(exchange, live);
      return;
    }
    const context = new HttpPolicyContext(this.edge, this.services, exchange, live);
    const run = policy.onHttpRequest?.start(context) ?? null;
    const frame: Frame = { live, context, run, onForwardError: null };
    exchange.frames ??= [];
    exchange.frames.push(frame);
    if (run === null) this.passed(exchange, live);
    else settle(this, exchange, run.next(), (outcome) => this.requestOutcome(exchange, frame, outcome));
  }

  private requestOutcome(exchange: Exchange, frame: Frame, outcome: Outcome): void {
    switch (outcome.kind) {
      case 'continue':
        this.passed(exchange, frame.live);
        return;
      case 'respond':
      case 'error':
        answerAsTold(exchange, outcome);
        this.responsePhases(exchange, (exchange.frames?.length ?? 0) - 1);
        return;
      case 'close':
        this.close(exchange);
        return;
      case 'forward':
        return this.forward(exchange, frame, outcome.to, outcome.onError);
      case 'relay':
        void relay(this, exchange, frame, outcome, (next) => this.requestOutcome(exchange, frame, next));
    }
  }

  private forward(exchange: Exchange, frame: Frame, to: InternalAddress, onError: 'halt' | 'continue'): void {
    frame.onForwardError = onError;
    let found: ReturnType<typeof findForward>;
    try {
      exchange.hops = nextHop(exchange.hops);
      found = findForward(this.edge, frame.live.endpoint.accountId, to);
    } catch (error) {
      if (!isPosternError(error)) throw error;
      return this.gatewayFailure(exchange, error);
    }
    exchange.route = found.route;
    this.enter(exchange, found.target);
  }

  /** A policy's own request, which begins where a forward would arrive: at an internal endpoint (internal-call.ts). */
  beginCall(exchange: Exchange, from: HttpPolicyContext, to: InternalAddress): void {
    try {
      const { route, target } = findForward(this.edge, from.live.endpoint.accountId, to);
      exchange.route = route;
      const { trail, entry } = from.exchange;
      if (entry !== null) exchange.trail = this.marks.onward(trail, entry);
      exchange.entry = target;
      this.enter(exchange, target);
    } catch (error) {
      this.fault(exchange, error);
    }
  }

  /** No rule has answered: the endpoint's own upstream does. */
  private passed(exchange: Exchange, live: LiveEndpoint): void {
    if (live.endpoint.kind === 'cloud') {
      this.gatewayFailure(exchange, fail(6029));
      return;
    }
    if (exchange.frames !== null) settleRequestFields(exchange.request);
    if (!exchange.marked && exchange.entry !== null)
      exchange.request.putMark(this.marks.markOf(exchange.trail, exchange.entry));
    exchange.marked = true;
    exchange.draft = null;
    exchange.attempts = 0;
    const error = this.dispatcher.send(exchange);
    if (error !== null) this.gatewayFailure(exchange, error);
  }

  // What comes back.

  answered(exchange: Exchange): void {
    const { draft } = exchange;
    if (draft === null) return;
    try {
      if (draft.status === 508 && this.marks.takeEnded(draft.fields)) this.endCircle(exchange);
      else if (draft.dialFailed) this.gatewayFailure(exchange, dialFailure(exchange.upstreamName));
      else if (mayBeDialFailure(draft)) exchange.collect((body) => this.probed(exchange, draft, body));
      else this.respond(exchange);
    } catch (error) {
      this.fault(exchange, error);
    }
  }

  /** The whole body of a short 502 has been read. */
  private probed(exchange: Exchange, draft: ResponseDraft, body: Buffer): void {
    try {
      if (isDialMessage(body)) {
        this.gatewayFailure(exchange, dialFailure(exchange.upstreamName));
        return;
      }
      draft.body = body;
      this.respond(exchange);
    } catch (error) {
      this.fault(exchange, error);
    }
  }

  private respond(exchange: Exchange): void {
    const { request, draft } = exchange;
    if (request.rewrittenHost !== '' && draft !== null) mapLocation(request, draft.fields);
    if (exchange.frames === null) this.deliver(exchange);
    else this.responsePhases(exchange, exchange.frames.length - 1);
  }

  private responsePhases(exchange: Exchange, from: number): void {
    for (let index = from; index >= 0; index--) {
      const frame = exchange.frames?.[index];
      if (frame === undefined || exchange.draft === null) continue;
      const phase = frame.live.policy?.onHttpResponse ?? null;
      frame.context.res = phase === null ? null : responseView(exchange, this.edge, exchange.draft);
      const outcome = phase?.start(frame.context).next() ?? null;
      if (outcome instanceof Promise) {
        settle(this, exchange, outcome, (settled) => {
          if (this.responsePhaseOver(exchange, frame, settled)) this.responsePhases(exchange, index - 1);
        });
        return;
      }
      if (!this.responsePhaseOver(exchange, frame, outcome)) return;
    }
    if (exchange.draft !== null) settleResponseFields(exchange.draft);
    this.deliver(exchange);
  }

  /** @param outcome null = the policy has no such phase @returns whether the outer policies come next */
  private responsePhaseOver(exchange: Exchange, frame: Frame, outcome: Outcome | null): boolean {
    if (outcome !== null && !this.responseOutcome(exchange, outcome)) return false;
    addMessageRules(this.edge, exchange, frame);
    return true;
  }

  private deliver(exchange: Exchange): void {
    if (isCarried(exchange)) return deliver(exchange);
    exchange.answerFields = null;
    this.answerError(exchange, fail(3004, { reason: 'its head is too large for HTTP/2' }));
  }

  /** @returns whether the outer policies come next */
  private responseOutcome(exchange: Exchange, outcome: Outcome): boolean {
    switch (outcome.kind) {
      case 'continue':
        return true;
      case 'respond':
      case 'error':
        exchange.dropUpstream();
        answerAsTold(exchange, outcome);
        return true;
      case 'close':
        this.close(exchange);
        break;
      default:
        this.answerError(exchange, fail(2300, { type: 'on_http_response' }));
    }
    return false;
  }

  failed(exchange: Exchange, failure: UpstreamFailure): void {
    try {
      if (this.dispatcher.retry(exchange, failure)) return;
      // The service may have begun, and stopped because the visitor has left: nobody else is made to do it again.
      if (exchange.visitorFinished && failure.retry !== 'any') this.answerError(exchange, failure.error);
      else this.gatewayFailure(exchange, failure.error);
    } catch (error) {
      this.fault(exchange, error);
    }
  }

  /**
   * An endpoint could not be reached. A policy that forwarded to it with `on_error: continue` goes on behind that
   * action, as long as the request body is still whole; else the visitor gets the page, past all response phases.
   */
  private gatewayFailure(exchange: Exchange, error: PosternError): void {
    exchange.dropUpstream();
    if (!exchange.responding) exchange.phase = Phase.deciding;
    const { frames } = exchange;
    for (let index = (frames?.length ?? 0) - 1; index >= 0; index--) {
      const frame = frames?.[index];
      if (frame?.onForwardError !== 'continue' || frame.run === null || exchange.body?.consumed === true) continue;
      if (frames !== null) frames.length = index + 1;
      frame.onForwardError = null;
      exchange.current = frame.live;
      exchange.draft = null;
      const outcome = frame.run.forwardFailed(error);
      return settle(this, exchange, outcome, (settled) => this.requestOutcome(exchange, frame, settled));
    }
    this.answerError(exchange, error);
  }

  unfilterable(exchange: Exchange): void {
    this.answerError(exchange, fail(90010));
  }

  // Ends.

  /** Answers with a page of ours, past all policies. */
  answerError(exchange: Exchange, error: PosternError, headers: readonly (readonly [string, string])[] = []): void {
    exchange.dropUpstream();
    if (exchange.responding) {
      exchange.downstream.abort();
      return exchange.finish('internal');
    }
    if (exchange.downstream.refused !== undefined) {
      exchange.errorCode = error.code;
      exchange.downstream.refused(error);
      return exchange.finish('refused');
    }
    const told = error.number === 90019 ? RETRY_SOON : error.number === 3206 ? WEBSOCKET_VERSION : null;
    answerWithPage(exchange, error, told === null ? headers : [...headers, told]);
    if (error.status === 421) exchange.closing = true;
    deliver(exchange);
  }

  /** Ends the connection without an answer. */
  private close(exchange: Exchange): void {
    exchange.dropUpstream();
    exchange.downstream.close();
    exchange.finish('policy-close');
  }

  /** An exception that is not an answer: ours to repair. */
  fault(exchange: Exchange, error: unknown): void {
    try {
      if (isPosternError(error)) return this.answerError(exchange, error);
      this.edge.faults.report(error, 'a request', { endpoint: exchange.entry?.endpoint.id ?? '' });
      if (exchange.finished) exchange.requester.guard.end();
      else this.answerError(exchange, fail(90010));
    } catch (another) {
      exchange.requester.guard.fault(another);
    }
  }

  late(exchange: Exchange, policyMs: number): void {
    this.answerError(exchange, fail(90038, { seconds: policyMs / 1_000 }));
  }

  /** A session is full: ends the slowest request of it whose visitor is slow. @returns whether there was one */
  endSlowest(sessionId: string): boolean {
    const exchange = this.uploads.slowest(sessionId);
    if (exchange === null) return false;
    exchange.closing = true;
    exchange.requester.guard.run(() => this.answerError(exchange, fail(90011)));
    return true;
  }

  finished(exchange: Exchange, reason: string): void {
    this.uploads.remove(exchange);
    this.edge.traffic(trafficEvent(exchange, reason, this.edge.now()));
  }
}
