/** What the HTTP side keeps for one visitor connection, whatever its HTTP version, or for a request of a policy's own. */
import type { WorkLeft } from '@postern/policy';
import { linesOf } from '@postern/protocol';
import type { EdgeContext, LiveEndpoint, Route, VisitorFacts } from '../../context.ts';
import { networkOf } from '../../places/network.ts';
import type { Guard } from '../../guard.ts';
import { Http2Links } from '../client/links.ts';
import { type KeptIndex, KeptUpstreams } from '../client/kept.ts';
import { HOP_MARK } from './hop-mark.ts';
import type { Forwarder } from './message.ts';

/** Whose policy it is that makes a request of its own (internal-calls.ts). */
export interface Caller {
  /** 1 = what a visitor asks for makes the call; more = what another call asks for does. */
  readonly depth: number;
  /** What all rules may cost that run for that visitor's request. */
  readonly work: WorkLeft;
}

export class Requester implements Forwarder {
  readonly connection: VisitorFacts;
  readonly guard: Guard;
  readonly kept: KeptUpstreams;
  /** null = a connection. */
  caller: Caller | null = null;
  /** Endpoints whose connection rules have let this connection in: plain http, where the first request names them. */
  admitted: Set<LiveEndpoint> | null = null;
  /**
   * The authority of `findRoute` belongs to a tls endpoint. A client may ask for every name of the certificate on this
   * connection (RFC 9113 §9.1.1), but connections of that name go elsewhere.
   */
  misdirected = false;
  private readonly edge: EdgeContext;
  private readonly index: KeptIndex;
  private links: Http2Links | null = null;
  private networkName: string | null = null;
  private authority = '';
  private scheme = '';
  private revision = -1;
  private route: Route | null = null;
  /** What is added to a request's fields, remembered as the route is. */
  private added = '';
  private addedFor = '';
  private addedMark = '';

  constructor(edge: EdgeContext, index: KeptIndex, connection: VisitorFacts, guard: Guard) {
    this.edge = edge;
    this.index = index;
    this.guard = guard;
    this.connection = connection;
    this.kept = new KeptUpstreams(edge, index, guard);
  }

  now(): number {
    return this.edge.now();
  }

  /** Whom the address counts for. */
  get network(): string {
    this.networkName ??= networkOf(this.connection.conn.clientIp);
    return this.networkName;
  }

  /** HTTP/2 connections to upstreams, made when the first is needed. */
  get http2(): Http2Links {
    this.links ??= new Http2Links(this.index, this.guard);
    return this.links;
  }

  /** The route of an authority; remembered, as visitors repeat it with each request. */
  findRoute(authority: string, scheme: 'http' | 'https'): Route | null {
    const { routes } = this.edge;
    if (authority === this.authority && routes.revision === this.revision && scheme === this.scheme) return this.route;
    this.authority = authority;
    this.scheme = scheme;
    this.revision = routes.revision;
    const host = hostOf(authority);
    this.route = routes.findHttp(scheme, host);
    this.misdirected = this.connection.scheme === 'https' && routes.findTls(host)?.members[0]?.endpoint.proto === 'tls';
    return this.route;
  }

  addedLines(host: string, mark: string): string {
    if (this.added === '' || host !== this.addedFor || mark !== this.addedMark) {
      const { conn, scheme } = this.connection;
      const fields = ['X-Forwarded-For', conn.clientIp, 'X-Forwarded-Host', host, 'X-Forwarded-Proto', scheme];
      if (mark !== '') fields.push(HOP_MARK, mark);
      this.added = linesOf(fields);
      this.addedFor = host;
      this.addedMark = mark;
    }
    return this.added;
  }

  /** The connection is gone. */
  close(): void {
    this.kept.close();
    this.links?.close();
  }
}

/** `host[:port]` without its port. */
export function hostOf(authority: string): string {
  const end = authority.startsWith('[') ? authority.indexOf(']') + 1 : authority.indexOf(':');
  return end > 0 ? authority.slice(0, end) : authority;
}
