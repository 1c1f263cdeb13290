/** Connection, request and answer of a trial, as rules see them: the views of `runtime.ts` over plain values. */
import { REQUEST_BUDGET, REQUEST_EFFORT } from '../cel/work.ts';
import type { FilterMaker } from '../body-filter.ts';
import type {
  CompileOptions,
  ConnView,
  EndpointView,
  EventView,
  PolicyContext,
  RequestView,
  ResponseView,
  TlsTermination,
  TlsView,
  UrlView,
} from '../runtime.ts';
import type { PolicyServices } from '../services.ts';
import type { Given, GivenRequest } from './given.ts';
import { HeaderList, type HeaderLines } from './headers.ts';

export class TrialRequest implements RequestView {
  method: string;
  scheme: string;
  authority: string;
  target: string;
  readonly sent: UrlView;
  readonly version: string;
  readonly contentLength: number;
  readonly headers: HeaderList;
  readonly headerReceivedAt: number;
  readonly bodyReceivedAt: number;
  readonly loginCookies: string;
  readonly filters: FilterMaker[] = [];
  /** Go on whatever answer the visitor gets. */
  readonly answerHeaders: [name: string, value: string][] = [];
  body: Buffer;

  constructor(request: GivenRequest, now: number, loginCookies: string) {
    const { method, scheme, authority, target, version, body } = request;
    this.method = method;
    this.scheme = scheme;
    this.authority = authority;
    this.target = target;
    this.sent = { scheme, authority, target };
    this.version = version;
    this.body = body;
    this.contentLength = body.length;
    this.headers = new HeaderList(forwarded(request));
    this.headerReceivedAt = now;
    this.bodyReceivedAt = now;
    this.loginCookies = loginCookies;
  }

  rewrite({ scheme, authority, target }: UrlView): void {
    if (authority !== this.authority) this.headers.set('host', authority);
    Object.assign(this, { scheme, authority, target });
  }

  readBody(limit: number): Promise<Buffer | 'too-large'> {
    return Promise.resolve(this.body.length > limit ? 'too-large' : this.body);
  }

  readBodyStart(limit: number): Promise<Buffer> {
    return Promise.resolve(this.body.subarray(0, limit));
  }

  filterBody(maker: FilterMaker): void {
    this.filters.push(maker);
  }

  reserve(): boolean {
    return true;
  }

  replaceBody(body: Buffer): void {
    this.body = body;
    this.headers.set('content-length', String(body.length));
  }

  answerHeader(name: string, value: string): void {
    this.answerHeaders.push([name, value]);
  }

  onEnd(): void {
    // Whoever asks counts what comes later, and nothing comes later.
  }
}

/** As an edge does before rules look (traffic-policy.md §10). */
function forwarded({ headers, authority, scheme, clientIp, body }: GivenRequest): HeaderLines {
  const list = new HeaderList(headers.filter(([name]) => !/^(?:host|x-forwarded-(?:host|proto|for))$/i.test(name)));
  const before = headers.filter(([name]) => name.toLowerCase() === 'x-forwarded-for').map(([, value]) => value);
  const lines: [string, string][] = [['host', authority], ...list.entries().map(([n, v]): [string, string] => [n, v])];
  if (body.length > 0 && !list.has('content-length')) lines.push(['content-length', String(body.length)]);
  return [
    ...lines,
    ['x-forwarded-for', [...before, clientIp].join(', ')],
    ['x-forwarded-host', authority],
    ['x-forwarded-proto', scheme],
  ];
}

export class TrialResponse implements ResponseView {
  statusCode: number;
  readonly contentLength: number;
  readonly headers: HeaderList;
  readonly filters: FilterMaker[] = [];
  encoding = '';
  body: Buffer;

  constructor(status: number, headers: HeaderLines, body: Buffer) {
    this.statusCode = status;
    this.headers = new HeaderList(headers);
    this.body = body;
    this.contentLength = body.length;
  }

  readBody(limit: number): Promise<Buffer | 'too-large'> {
    return Promise.resolve(this.body.length > limit ? 'too-large' : this.body);
  }

  readBodyStart(limit: number): Promise<Buffer> {
    return Promise.resolve(this.body.subarray(0, limit));
  }

  filterBody(maker: FilterMaker): void {
    this.filters.push(maker);
  }

  reserve(): boolean {
    return true;
  }

  replaceBody(body: Buffer): void {
    this.body = body;
    if (this.headers.has('content-length')) this.headers.set('content-length', String(body.length));
  }

  get encodes(): boolean {
    return this.encoding !== '';
  }

  encodeBody(coding: string): void {
    this.encoding = coding;
  }
}

export interface TrialContext extends PolicyContext {
  req: TrialRequest | null;
  res: TrialResponse | null;
  event: EventView | null;
}

export function trialContext(
  { request, now, random }: Given,
  options: CompileOptions,
  services: PolicyServices,
  warnings: string[],
): TrialContext {
  return {
    services,
    signal: new AbortController().signal,
    conn: connection(request, now, options),
    endpoint: endpointOf(request, options),
    req: null,
    res: null,
    work: { unitsLeft: REQUEST_BUDGET, effortLeft: REQUEST_EFFORT },
    event: null,
    responseVars: null,
    results: null,
    tlsTermination: null as TlsTermination | null,
    now: () => now,
    random: () => random,
    warn: (message) => void warnings.push(message),
  };
}

function connection({ clientIp, serverIp, scheme, sni, ja4 }: GivenRequest, now: number, o: CompileOptions): ConnView {
  const secure = o.protocol === 'tls' || (o.protocol === 'https' && scheme === 'https');
  return {
    clientIp,
    clientPort: 50_000,
    serverIp,
    serverPort: secure ? 443 : 80,
    serverRegion: 'us',
    startedAt: now,
    bytesIn: 0,
    bytesOut: 0,
    tls: secure ? tlsOf(sni, ja4) : null,
  };
}

function tlsOf(sni: string, ja4Fingerprint: string): TlsView {
  return {
    sni,
    version: '1.3',
    cipherSuite: 'TLS_AES_128_GCM_SHA256',
    negotiatedAlpn: '',
    sessionResumed: false,
    ja4Fingerprint,
    client: null,
    server: null,
  };
}

function endpointOf({ authority }: GivenRequest, { protocol }: CompileOptions): EndpointView {
  const url = new URL(`http://${authority}`);
  const standard = protocol === 'http' ? 80 : 443;
  return {
    id: 'ep_trial',
    accountId: 'ac_trial',
    url: `${protocol}://${authority}`,
    host: url.hostname,
    port: url.port === '' ? standard : Number(url.port),
    proto: protocol,
  };
}
