/**
 * What policies see of an exchange. Views read and write the raw field lists in place; nothing is made before a phase
 * with rules begins.
 */
import { STATUS_CODES } from 'node:http';
import type {
  BodyProblem,
  ConnView,
  EndpointView,
  HeaderView,
  PolicyContext,
  PolicyServices,
  WorkLeft,
  RequestView,
  ResponseView,
  TlsTermination,
  UrlView,
} from '@postern/policy';
import { isToken, type Framing, type RawFields } from '@postern/protocol';
import type { EdgeContext, LiveEndpoint } from '../context.ts';
import { warnOfPolicy } from '../policy-warnings.ts';
import type { Exchange } from './exchange.ts';
import { HeldBody } from './held-body.ts';
import { isNamed, removeField, removeLookAlikes, textOfValue, valueOf, wireValue } from './fields.ts';

export type BodyCoding = 'gzip' | 'deflate' | 'br';

/** A response on its way to the visitor, as phases may still change it. */
export interface ResponseDraft {
  status: number;
  reason: string;
  readonly fields: RawFields;
  framing: Framing;
  /** Encoders that the body passes, in order; null = none. */
  codings: [BodyCoding, ...BodyCoding[]] | null;
  /** An agent of ours says that it could not reach the service. */
  readonly dialFailed: boolean;
}

/** A raw list whose values rules see and write as text; on the wire they are UTF-8. */
class FieldsView implements HeaderView {
  private readonly fields: RawFields;

  constructor(fields: RawFields) {
    this.fields = fields;
  }

  get size(): number {
    return this.fields.length / 2;
  }

  get(name: string): string | undefined {
    const value = valueOf(this.fields, name.toLowerCase());
    return value === undefined ? undefined : textOfValue(value);
  }

  getAll(name: string): string[] {
    const lower = name.toLowerCase();
    const values: string[] = [];
    for (let at = 0; at < this.fields.length; at += 2) {
      if (isNamed(this.fields[at] ?? '', lower)) values.push(textOfValue(this.fields[at + 1] ?? ''));
    }
    return values;
  }

  has(name: string): boolean {
    return valueOf(this.fields, name.toLowerCase()) !== undefined;
  }

  append(name: string, value: string): void {
    // A name that is no token cannot be sent; policies are checked for that when written, so this is a last guard.
    if (isToken(name)) this.fields.push(name, wireValue(value));
  }

  set(name: string, value: string): void {
    removeField(this.fields, name.toLowerCase());
    this.append(name, value);
  }

  delete(name: string): boolean {
    return removeLookAlikes(this.fields, name.toLowerCase());
  }

  *entries(): Iterable<readonly [string, string]> {
    for (let at = 0; at < this.fields.length; at += 2) {
      yield [this.fields[at] ?? '', textOfValue(this.fields[at + 1] ?? '')];
    }
  }
}

/** Path and query that the visitor asked for, also after a rule has put others in their place. */
export function sentTarget(exchange: Exchange): string {
  return exchange.rewritten?.target ?? exchange.target;
}

class ExchangeRequest implements RequestView {
  readonly headers: HeaderView;
  private readonly edge: EdgeContext;
  private readonly exchange: Exchange;

  constructor(edge: EdgeContext, exchange: Exchange) {
    this.edge = edge;
    this.exchange = exchange;
    this.headers = new FieldsView(exchange.fields);
  }

  get method(): string {
    return this.exchange.method;
  }

  set method(value: string) {
    if (isToken(value)) this.exchange.method = value;
  }

  get scheme(): string {
    return this.exchange.rewritten?.scheme ?? this.exchange.scheme;
  }

  get authority(): string {
    return this.exchange.rewritten?.authority ?? this.exchange.authority;
  }

  get target(): string {
    return this.exchange.target;
  }

  get sent(): UrlView {
    const { scheme, authority } = this.exchange;
    return { scheme, authority, target: sentTarget(this.exchange) };
  }

  rewrite({ scheme, authority, target }: UrlView): void {
    const { exchange } = this;
    if (authority !== this.authority) this.headers.set('host', authority);
    exchange.rewritten = { scheme, authority, target: sentTarget(exchange) };
    exchange.target = target;
  }

  get version(): string {
    return this.exchange.version;
  }

  get contentLength(): number {
    const { requestFraming } = this.exchange;
    if (requestFraming.kind === 'none') return 0;
    return requestFraming.kind === 'length' ? requestFraming.length : -1;
  }

  get headerReceivedAt(): number {
    return this.exchange.startedAt;
  }

  readBody(limit: number): Promise<Buffer | BodyProblem> {
    return HeldBody.read(this.exchange, this.edge, limit);
  }
}

class DraftResponse implements ResponseView {
  readonly headers: HeaderView;
  private readonly draft: ResponseDraft;

  constructor(draft: ResponseDraft) {
    this.draft = draft;
    this.headers = new FieldsView(draft.fields);
  }

  get statusCode(): number {
    return this.draft.status;
  }

  set statusCode(value: number) {
    if (!Number.isInteger(value) || value < 200 || value > 599) return;
    this.draft.status = value;
    this.draft.reason = STATUS_CODES[value] ?? '';
  }

  get contentLength(): number {
    const { framing } = this.draft;
    if (framing.kind === 'none') return 0;
    return framing.kind === 'length' ? framing.length : -1;
  }

  encodeBody(coding: BodyCoding): void {
    if (this.draft.codings === null) this.draft.codings = [coding];
    else this.draft.codings.push(coding);
  }
}

/** The PolicyContext of one endpoint in one exchange; shared by its request and response phases. */
export class HttpPolicyContext implements PolicyContext {
  readonly services: PolicyServices;
  readonly conn: ConnView;
  readonly endpoint: EndpointView;
  readonly req: RequestView;
  res: ResponseView | null = null;
  /** The exchange keeps it, for all the endpoints that it passes. */
  readonly work: WorkLeft;
  results: Map<string, unknown> | null = null;
  tlsTermination: TlsTermination | null = null;
  readonly exchange: Exchange;
  readonly live: LiveEndpoint;
  private readonly edge: EdgeContext;

  constructor(edge: EdgeContext, services: PolicyServices, exchange: Exchange, live: LiveEndpoint) {
    this.edge = edge;
    this.services = services;
    this.exchange = exchange;
    this.live = live;
    this.conn = exchange.conn;
    this.work = exchange.visitor.caller?.work ?? exchange;
    this.endpoint = live.endpoint;
    this.req = new ExchangeRequest(edge, exchange);
  }

  get signal(): AbortSignal {
    return this.exchange.signal;
  }

  now(): number {
    return this.edge.now();
  }

  random(): number {
    return this.edge.random();
  }

  warn(message: string): void {
    warnOfPolicy(this.edge, this.endpoint.id, message);
  }
}

export function responseView(draft: ResponseDraft): ResponseView {
  return new DraftResponse(draft);
}

/** Context of `on_tcp_connect`, when it runs for an http endpoint whose first request has already been read. */
export function connectionContext(edge: EdgeContext, exchange: Exchange, live: LiveEndpoint): PolicyContext {
  return {
    services: edge.services,
    get signal() {
      return exchange.signal;
    },
    conn: exchange.conn,
    endpoint: live.endpoint,
    req: null,
    res: null,
    work: exchange,
    results: null,
    tlsTermination: null,
    now: () => edge.now(),
    random: () => edge.random(),
    warn: (message) => warnOfPolicy(edge, live.endpoint.id, message),
  };
}
