/**
 * Finds an agent stream for a request: a kept one of this visitor, or a new one, waiting for room when the session is
 * at its cap. Decides when another try is safe (docs/design.md §3, Retry).
 */
import { fail, isPosternError, type PosternError } from '@postern/errors';
import { proxyHeaderFor } from '../../connection/proxy-header.ts';
import type { EdgeContext, LiveEndpoint } from '../../context.ts';
import type { StreamPurpose } from '../../streams/agent-streams.ts';
import type { AgentUpstream } from '@postern/link';
import type { MuxStreamHandler } from '@postern/protocol';
import type { PlaceClaim } from '../../places/place.ts';
import { type Exchange, Phase } from '../exchange/exchange.ts';
import type { UpstreamFailure } from '../exchange/ports.ts';
import { Http1Upstream } from '../client/http1.ts';
import { openWebSocket, webSocketProblem } from '../client/websocket.ts';
import type { Uploads } from './uploads.ts';

/** RFC 9110 §9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
const MAX_ATTEMPTS = 2;
/** Of which none was taken by a service. */
const MAX_REFUSALS = 4;

/** Of a stream that has not been handed over yet: nothing comes before it has been opened. */
const UNREAD: MuxStreamHandler = { onData() {}, onEnd() {}, onReset() {}, onDrain() {} };

export class Dispatcher {
  private readonly edge: EdgeContext;
  private readonly uploads: Uploads<Exchange>;
  private readonly onFailure: (exchange: Exchange, error: unknown) => void;

  /** @param onFailure for failures that come later; those at once are returned by `send` */
  constructor(edge: EdgeContext, uploads: Uploads<Exchange>, onFailure: (exchange: Exchange, error: unknown) => void) {
    this.edge = edge;
    this.uploads = uploads;
    this.onFailure = onFailure;
  }

  /** Sends the request of `exchange.current`. @returns what is wrong when it cannot even begin */
  send(exchange: Exchange): PosternError | null {
    const live = exchange.current;
    if (live === null) return fail(90010);
    const candidates = candidatesOf(exchange, live);
    if (candidates.length === 0) return this.away(live);
    const upstream = this.choose(candidates, null);
    if (upstream === null) return fail(3210);
    return this.sendTo(exchange, live, upstream);
  }

  /** Nobody serves it: tunnels of an edge, which may be coming back. */
  private away({ endpoint: { proto, host, publicUrl } }: LiveEndpoint): PosternError {
    const expected = proto !== 'tcp' && this.edge.returning.expects(proto, host);
    return fail(expected ? 90019 : 3200, { url: publicUrl });
  }

  /** Tries again where that is safe. @returns whether a new try is under way */
  retry(exchange: Exchange, failure: UpstreamFailure): boolean {
    const live = exchange.current;
    const { body } = failure;
    if (live === null || failure.retry === 'none') return false;
    const given = exchange.body?.consumed === true;
    if (given && (body === undefined || body === null)) return false;
    if (exchange.attempts >= (failure.retry === 'any' ? MAX_REFUSALS : MAX_ATTEMPTS)) return false;
    if (failure.retry === 'idempotent' && (exchange.visitorFinished || !IDEMPOTENT.has(exchange.request.method)))
      return false;
    if (exchange.body !== null) exchange.body.replay = given ? (body ?? null) : null;
    // Until somebody takes it.
    if (!exchange.requestEnded) exchange.downstream.pause();
    const upstream = this.choose(candidatesOf(exchange, live), failure.upstream);
    if (upstream !== null && upstream !== failure.upstream) return this.sendTo(exchange, live, upstream) === null;
    const other = this.otherMember(exchange, live);
    if (other !== null) {
      exchange.current = other.live;
      return this.sendTo(exchange, other.live, other.upstream) === null;
    }
    return upstream !== null && this.sendTo(exchange, live, upstream) === null;
  }

  /** A random one that is online, another than `avoid` if there is one. */
  private choose(candidates: readonly AgentUpstream[], avoid: AgentUpstream | null): AgentUpstream | null {
    const { agents, random } = this.edge;
    const [only] = candidates;
    if (candidates.length === 1 && only !== undefined) return agents.isOnline(only) ? only : null;
    const online = candidates.filter((candidate) => agents.isOnline(candidate));
    const others = online.filter((candidate) => candidate !== avoid);
    const among = others.length > 0 ? others : online;
    return among[Math.floor(random() * among.length)] ?? null;
  }

  /** A pool member that can stand in: its policy has to be the one that this request has passed. */
  private otherMember(exchange: Exchange, live: LiveEndpoint): { live: LiveEndpoint; upstream: AgentUpstream } | null {
    for (const member of exchange.route?.members ?? []) {
      if (member.endpoint.id === live.endpoint.id || member.endpoint.policy !== live.endpoint.policy) continue;
      const upstream = this.choose(candidatesOf(exchange, member), null);
      if (upstream !== null) return { live: member, upstream };
    }
    return null;
  }

  private sendTo(exchange: Exchange, live: LiveEndpoint, upstream: AgentUpstream): PosternError | null {
    exchange.attempts++;
    exchange.phase = Phase.sending;
    exchange.upstreamName = upstream.forwardsTo;
    exchange.servedAt = upstream.edge ?? '';
    if (exchange.access !== null) exchange.access.sessionId = upstream.sessionId;
    if (!exchange.requestEnded) this.uploads.add(upstream.sessionId, exchange);
    if (upstream.protocol === 'bytes') {
      const problem = webSocketProblem(exchange.request);
      if (problem !== null) return problem;
    } else if (upstream.protocol === 'http2') {
      const link = exchange.requester.http2.find(live.endpoint.id, upstream);
      if (link !== null) {
        link.request(exchange);
        return null;
      }
    } else if (exchange.attempts === 1) {
      // A second try does not trust what was open before; HTTP/2 services say what they did not take.
      const kept = exchange.requester.kept.take(live.endpoint.id, upstream);
      if (kept !== null) {
        kept.next(exchange);
        exchange.attach(kept);
        return null;
      }
    }
    return this.openOrWait(exchange, live, upstream);
  }

  private openOrWait(exchange: Exchange, live: LiveEndpoint, upstream: AgentUpstream): PosternError | null {
    const claim = claimOf(exchange, live);
    if (this.edge.agents.canOpen(upstream, claim)) return this.open(exchange, live, upstream, claim);
    const proceed = (): PosternError | null => this.onPlace(exchange, live, upstream, claim);
    exchange.placeWait = this.edge.agents.wait(upstream, claim, (error) => this.placed(exchange, error, proceed));
    if (upstream.protocol === 'http2') {
      exchange.requester.http2.wait(exchange, live.endpoint.id, upstream, () => this.placed(exchange, null, proceed));
    }
    return null;
  }

  /** The wait for a place is over, one way or the other. */
  private placed(exchange: Exchange, refused: PosternError | null, proceed: () => PosternError | null): void {
    exchange.placeWait?.cancel();
    exchange.placeWait = null;
    if (exchange.finished) return;
    try {
      const error = refused ?? proceed();
      if (error !== null) this.onFailure(exchange, error);
    } catch (error) {
      this.onFailure(exchange, error);
    }
  }

  /** Of an HTTP/2 service one place serves a visitor connection: somebody before may have opened it. */
  private onPlace(
    exchange: Exchange,
    live: LiveEndpoint,
    upstream: AgentUpstream,
    claim: PlaceClaim,
  ): PosternError | null {
    if (upstream.protocol !== 'http2') return this.open(exchange, live, upstream, claim);
    const { http2 } = exchange.requester;
    const link = http2.find(live.endpoint.id, upstream);
    if (link !== null) {
      link.request(exchange);
      return null;
    }
    const error = this.open(exchange, live, upstream, claim);
    http2.serveWaiting();
    return error;
  }

  private open(
    exchange: Exchange,
    live: LiveEndpoint,
    upstream: AgentUpstream,
    claim: PlaceClaim,
  ): PosternError | null {
    const { connection } = exchange.requester;
    const purpose: StreamPurpose = {
      clientAddr: connection.clientAddr,
      proto: live.endpoint.proto,
      edgeType: live.endpoint.kind === 'edge' ? '3' : '0',
      passthroughTls: false,
    };
    const proxyHeader = proxyHeaderFor(upstream, connection.conn);
    try {
      if (upstream.protocol === 'http2') {
        const link = exchange.requester.http2.open(this.edge, upstream, claim, purpose, proxyHeader);
        link.request(exchange);
        return null;
      }
      if (upstream.protocol === 'bytes') {
        openWebSocket(exchange, this.edge.agents.open(upstream, claim, purpose, proxyHeader, UNREAD));
        return null;
      }
      const client = new Http1Upstream(this.edge, exchange.requester.kept, live.endpoint.id, upstream);
      const head = Buffer.from(client.begin(exchange), 'latin1');
      client.opened(this.edge.agents.open(upstream, claim, purpose, proxyHeader, client, head));
      exchange.attach(client);
      return null;
    } catch (error) {
      if (isPosternError(error)) return error;
      throw error;
    }
  }
}

function claimOf(exchange: Exchange, live: LiveEndpoint): PlaceClaim {
  return {
    network: exchange.requester.network,
    endpointId: live.endpoint.id,
    long: exchange.request.upgrade !== '' || !exchange.requestEnded,
  };
}

/** Upstreams of an endpoint; those of the route that matches the path for an HTTPS edge. */
function candidatesOf(exchange: Exchange, live: LiveEndpoint): readonly AgentUpstream[] {
  const { endpoint } = live;
  if (endpoint.routes.length === 0) return endpoint.upstreams;
  const path = pathOf(exchange.request.target);
  let best: (typeof endpoint.routes)[number] | null = null;
  for (const route of endpoint.routes) {
    if (route.matchType === 'exact_path') {
      if (route.match === path) return route.upstreams;
    } else if (path.startsWith(route.match) && (best === null || route.match.length > best.match.length)) best = route;
  }
  return best?.upstreams ?? [];
}

export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}
