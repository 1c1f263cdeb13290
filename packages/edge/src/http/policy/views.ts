/**
 * What policies see of an exchange. Views read and write the raw field lists in place; nothing is made before a phase
 * with rules begins.
 */
import { STATUS_CODES } from 'node:http';
import type {
  BodyProblem,
  ConnView,
  EndpointView,
  ExchangeEnd,
  FilterMaker,
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
import type { EdgeContext, LiveEndpoint } from '../../context.ts';
import { warnOfPolicy } from '../../policy-warnings.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { sentTarget, type ResponseDraft } from '../exchange/message.ts';
import { type BodyCoding, ENCODERS } from '../filters/encode.ts';
import { readAnswer, readBody, replaceAnswer, replaceBody, reserveForAnswer } from './read-body.ts';
import { isNamed, removeField, removeLookAlikes, textOfValue, valueOf, wireValue } from '../exchange/fields.ts';

const CHUNKED = { kind: 'chunked' } as const;

/** A raw list whose values rules see and write as text; on the wire they are UTF-8. */
class FieldsView implements HeaderView {
  private readonly message: { readonly fields: RawFields };

  /** @param message asked for its fields when a rule looks at them */
  constructor(message: { readonly fields: RawFields }) {
    this.message = message;
  }

  private get fields(): RawFields {
    return this.message.fields;
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

class ExchangeRequest implements RequestView {
  readonly headers: HeaderView;
  private readonly edge: EdgeContext;
  private readonly exchange: Exchange;

  constructor(edge: EdgeContext, exchange: Exchange) {
    this.edge = edge;
    this.exchange = exchange;
    this.headers = new FieldsView(exchange.request);
  }

  get method(): string {
    return this.exchange.request.method;
  }

  set method(value: string) {
    if (isToken(value)) this.exchange.request.method = value;
  }

  get scheme(): string {
    const { rewritten, scheme } = this.exchange.request;
    return rewritten?.scheme ?? scheme;
  }

  get authority(): string {
    const { rewritten, authority } = this.exchange.request;
    return rewritten?.authority ?? authority;
  }

  get target(): string {
    return this.exchange.request.target;
  }

  get sent(): UrlView {
    const { request } = this.exchange;
    return { scheme: request.scheme, authority: request.authority, target: sentTarget(request) };
  }

  rewrite({ scheme, authority, target }: UrlView): void {
    const { request } = this.exchange;
    if (authority !== this.authority) this.headers.set('host', authority);
    request.rewritten = { scheme, authority, sent: sentTarget(request) };
    request.target = target;
  }

  get version(): string {
    return this.exchange.request.version;
  }

  get contentLength(): number {
    return lengthOf(this.exchange.request.framing);
  }

  get loginCookies(): string {
    return this.exchange.loginCookies;
  }

  get headerReceivedAt(): number {
    return this.exchange.startedAt;
  }

  get bodyReceivedAt(): number {
    const { body, startedAt } = this.exchange;
    return body === null ? startedAt : body.endedAt;
  }

  readBody(limit: number): Promise<Buffer | BodyProblem> {
    return readBody(this.exchange, this.edge, limit, 'all');
  }

  readBodyStart(limit: number): Promise<Buffer | BodyProblem> {
    return readBody(this.exchange, this.edge, limit, 'start');
  }

  filterBody(maker: FilterMaker): void {
    const { body, request } = this.exchange;
    if (body === null || body.consumed) return;
    request.filters ??= [];
    request.filters.push(maker);
    if (!maker.keepsLength && request.framing.kind === 'length') request.framing = CHUNKED;
  }

  reserve(bytes: number): boolean {
    return this.exchange.body?.held?.reserve(bytes) ?? false;
  }

  replaceBody(body: Buffer): void {
    replaceBody(this.exchange, body);
  }

  answerHeader(name: string, value: string): void {
    this.exchange.answerFields ??= [];
    if (isToken(name)) this.exchange.answerFields.push(name, wireValue(value));
  }

  onEnd(listener: (end: ExchangeEnd) => void): void {
    this.exchange.listeners ??= [];
    this.exchange.listeners.push(listener);
  }
}

class DraftResponse implements ResponseView {
  readonly headers: HeaderView;
  private readonly exchange: Exchange;
  private readonly edge: EdgeContext;
  private readonly draft: ResponseDraft;

  constructor(exchange: Exchange, edge: EdgeContext, draft: ResponseDraft) {
    this.exchange = exchange;
    this.edge = edge;
    this.draft = draft;
    this.headers = new FieldsView(draft);
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
    return lengthOf(this.draft.framing);
  }

  readBody(limit: number): Promise<Buffer | BodyProblem> {
    return readAnswer(this.exchange, this.edge, this.draft, limit, 'all');
  }

  readBodyStart(limit: number): Promise<Buffer | BodyProblem> {
    return readAnswer(this.exchange, this.edge, this.draft, limit, 'start');
  }

  reserve(bytes: number): boolean {
    return reserveForAnswer(this.exchange, this.edge, this.draft, bytes);
  }

  replaceBody(body: Buffer): void {
    replaceAnswer(this.exchange, this.draft, body);
  }

  encodeBody(coding: BodyCoding): void {
    this.draft.encodes = true;
    this.filterBody(ENCODERS[coding]);
  }

  get encodes(): boolean {
    return this.draft.encodes;
  }

  filterBody(maker: FilterMaker): void {
    this.draft.filters ??= [];
    this.draft.filters.push(maker);
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
  readonly event = null;
  responseVars: Map<string, unknown> | null = null;
  results: Map<string, unknown> | null = null;
  tlsTermination: TlsTermination | null = null;
  readonly strict: boolean;
  readonly exchange: Exchange;
  readonly live: LiveEndpoint;
  private readonly edge: EdgeContext;

  constructor(edge: EdgeContext, services: PolicyServices, exchange: Exchange, live: LiveEndpoint) {
    this.edge = edge;
    this.strict = edge.config.strictExpressions;
    this.services = services;
    this.exchange = exchange;
    this.live = live;
    this.conn = exchange.conn;
    this.work = exchange.requester.caller?.work ?? exchange;
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

/** -1 = not announced. */
function lengthOf(framing: Framing): number {
  if (framing.kind === 'none') return 0;
  return framing.kind === 'length' ? framing.length : -1;
}

export function responseView(exchange: Exchange, edge: EdgeContext, draft: ResponseDraft): ResponseView {
  return new DraftResponse(exchange, edge, draft);
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
    event: null,
    responseVars: null,
    results: null,
    tlsTermination: null,
    strict: edge.config.strictExpressions,
    now: () => edge.now(),
    random: () => edge.random(),
    warn: (message) => warnOfPolicy(edge, live.endpoint.id, message),
  };
}
