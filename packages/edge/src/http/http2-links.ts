/**
 * HTTP/2 connections to `http2` upstreams, over agent streams. A link serves the requests of one visitor connection to
 * one endpoint, several at once, and is closed when it has been idle for a while.
 */
import { connect, type ClientHttp2Session } from 'node:http2';
import { fail } from '@postern/errors';
import { MuxErrorCode } from '@postern/protocol';
import { ignore } from '../connection/pipe.ts';
import type { EdgeContext, StreamPurpose, TimerHandle } from '../context.ts';
import type { AgentUpstream } from '@postern/link';
import { dialFailure } from './dial-failure.ts';
import type { Exchange, UpstreamFailure } from './exchange.ts';
import { MuxDuplex } from './mux-duplex.ts';
import { Http2Upstream } from './upstream-http2.ts';

const WINDOW_BYTES = 1_048_576;
/** Until the upstream has said how many it takes. */
const ASSUMED_STREAMS = 100;

export class Http2Link {
  readonly endpointId: string;
  readonly upstream: AgentUpstream;
  readonly session: ClientHttp2Session;
  private readonly duplex: MuxDuplex;
  private readonly onClosed: (link: Http2Link) => void;
  private readonly idle: TimerHandle;
  private requests = 0;
  private closed = false;

  constructor(
    edge: EdgeContext,
    endpointId: string,
    upstream: AgentUpstream,
    purpose: StreamPurpose,
    proxyHeader: Buffer | null,
    onClosed: (link: Http2Link) => void,
  ) {
    this.endpointId = endpointId;
    this.upstream = upstream;
    this.onClosed = onClosed;
    const duplex = new MuxDuplex(edge.wheel);
    duplex.attach(edge.agents.open(upstream, purpose, proxyHeader, duplex));
    this.duplex = duplex;
    const { headBytes } = edge.config.limits;
    this.session = connect('http://upstream', {
      createConnection: () => duplex,
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES, maxHeaderListSize: headBytes },
      maxHeaderListPairs: 2_000,
      // The default of 64 KiB would fail heads that our own limit lets pass; fields count 32 bytes more each here.
      maxSendHeaderBlockLength: headBytes + 32_768,
    });
    this.session.on('error', ignore);
    this.session.on('close', () => this.gone());
    this.session.on('goaway', () => this.gone());
    this.idle = edge.wheel.schedule(edge.config.limits.upstreamIdleMs, () => {
      if (this.requests === 0) this.close();
    });
  }

  get usable(): boolean {
    const limit = this.session.remoteSettings.maxConcurrentStreams ?? ASSUMED_STREAMS;
    return !this.closed && !this.session.closed && !this.session.destroyed && this.requests < limit;
  }

  request(exchange: Exchange): void {
    this.requests++;
    const upstream = new Http2Upstream(this, exchange);
    upstream.start();
    exchange.attach(upstream);
  }

  /** A request on it is over. */
  done(): void {
    this.requests--;
    if (this.requests === 0) this.idle.refresh();
  }

  /** What a request is told that ended without an answer. */
  failure(exchange: Exchange, untouched: boolean): UpstreamFailure {
    const { upstream, duplex } = this;
    const { resetCode } = duplex;
    if (resetCode === MuxErrorCode.sessionClosed || resetCode === MuxErrorCode.peerEof) {
      return { upstream, error: fail(3210), reason: 'agent-gone', retry: untouched ? 'idempotent' : 'none' };
    }
    if (untouched && (resetCode === MuxErrorCode.acceptQueueFull || resetCode === MuxErrorCode.streamRefused)) {
      return { upstream, error: fail(743), reason: 'upstream-reset', retry: 'any' };
    }
    if (duplex.opening.startsWith('HTTP/1.')) {
      const error = / 502 /.test(duplex.opening)
        ? dialFailure(exchange)
        : fail(3004, { reason: 'it answered in HTTP/1, and HTTP/2 was asked for' });
      return { upstream, error, reason: 'upstream-invalid', retry: 'none' };
    }
    return {
      upstream,
      error: fail(3004, { reason: 'it closed the connection without an answer' }),
      reason: 'upstream-closed',
      retry: untouched ? 'idempotent' : 'none',
    };
  }

  close(): void {
    this.gone();
    this.session.close();
  }

  destroy(): void {
    this.gone();
    this.session.destroy();
  }

  private gone(): void {
    if (this.closed) return;
    this.closed = true;
    this.idle.cancel();
    this.onClosed(this);
  }
}

/** Those of one visitor connection. */
export class Http2Links {
  private links: Http2Link[] = [];

  find(endpointId: string, upstream: AgentUpstream): Http2Link | null {
    for (const link of this.links) {
      if (link.endpointId !== endpointId || !link.usable) continue;
      if (link.upstream.sessionId === upstream.sessionId && link.upstream.tunnelId === upstream.tunnelId) return link;
    }
    return null;
  }

  /** @throws PosternError as `AgentStreams.open` */
  open(
    edge: EdgeContext,
    endpointId: string,
    upstream: AgentUpstream,
    purpose: StreamPurpose,
    proxyHeader: Buffer | null,
  ): Http2Link {
    const link = new Http2Link(edge, endpointId, upstream, purpose, proxyHeader, (closed) => {
      this.links = this.links.filter((one) => one !== closed);
    });
    this.links.push(link);
    return link;
  }

  close(): void {
    for (const link of this.links) link.destroy();
  }
}
