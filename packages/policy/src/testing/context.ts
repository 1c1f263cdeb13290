/** A connection and exchange made of plain values, for tests. */
import { REQUEST_BUDGET, REQUEST_EFFORT } from '../cel/work.ts';
import type {
  CertificateView,
  ConnView,
  EventView,
  ExchangeEnd,
  HeaderView,
  PolicyContext,
  RequestView,
  ResponseView,
  TlsTermination,
  TlsView,
} from '../runtime.ts';
import type { FilterMaker } from '../body-filter.ts';
import type { PolicyServices } from '../services.ts';

export class TestHeaders implements HeaderView {
  lines: (readonly [string, string])[];

  constructor(lines: readonly (readonly [string, string])[] = []) {
    this.lines = [...lines];
  }

  get size(): number {
    return this.lines.length;
  }

  get(name: string): string | undefined {
    return this.getAll(name)[0];
  }

  getAll(name: string): string[] {
    return this.lines.filter(([key]) => same(key, name)).map(([, value]) => value);
  }

  has(name: string): boolean {
    return this.lines.some(([key]) => same(key, name));
  }

  append(name: string, value: string): void {
    this.lines.push([name, value]);
  }

  set(name: string, value: string): void {
    this.delete(name);
    this.append(name, value);
  }

  delete(name: string): boolean {
    const before = this.lines.length;
    this.lines = this.lines.filter(([key]) => !same(key, name));
    return this.lines.length < before;
  }

  entries(): Iterable<readonly [string, string]> {
    return this.lines;
  }
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

export interface TestRequest extends RequestView {
  readonly headers: TestHeaders;
  readonly filters: FilterMaker[];
  readonly answerHeaders: [name: string, value: string][];
  readonly listeners: ((end: ExchangeEnd) => void)[];
}

export interface TestResponse extends ResponseView {
  readonly headers: TestHeaders;
  readonly filters: FilterMaker[];
  encodings: string[];
}

export interface TestContext extends PolicyContext {
  readonly req: TestRequest | null;
  readonly res: TestResponse | null;
  results: Map<string, unknown> | null;
  responseVars: Map<string, unknown> | null;
  tlsTermination: TlsTermination | null;
  readonly warnings: string[];
  /** As they are by now. */
  readonly bodies: { readonly request: Buffer; readonly response: Buffer };
}

export interface Facts {
  method?: string;
  scheme?: string;
  authority?: string;
  target?: string;
  headers?: readonly (readonly [string, string])[];
  loginCookies?: string;
  contentLength?: number;
  bodyReceivedAt?: number;
  body?: string | Buffer;
  /** Bytes that may be reserved. */
  memory?: number;
  services?: Partial<PolicyServices>;
  signal?: AbortSignal;
  /** null = a phase without request. */
  request?: null;
  status?: number;
  responseHeaders?: readonly (readonly [string, string])[];
  responseLength?: number;
  responseBody?: string | Buffer;
  event?: EventView;
  clientIp?: string;
  tls?: Partial<TlsView> | null;
  random?: number;
  /** Unix milliseconds. */
  now?: number;
}

export const NOW = Date.UTC(2026, 10, 24, 12, 0, 0);

export function makeContext(facts: Facts = {}): TestContext {
  const warnings: string[] = [];
  const encodings: string[] = [];
  const conn: ConnView = {
    clientIp: facts.clientIp ?? '203.0.113.7',
    clientPort: 50_123,
    serverIp: '198.51.100.1',
    serverPort: 443,
    serverRegion: 'eu',
    startedAt: NOW - 1000,
    bytesIn: 10,
    bytesOut: 20,
    tls: facts.tls === undefined || facts.tls === null ? null : { ...NO_TLS, ...facts.tls },
  };
  const bodies: { request: Buffer; response: Buffer } = {
    request: Buffer.from(facts.body ?? ''),
    response: Buffer.from(facts.responseBody ?? ''),
  };
  let memory = facts.memory ?? Infinity;
  const reserve = (bytes: number): boolean => (memory -= bytes) >= 0;
  const sent = {
    scheme: facts.scheme ?? 'https',
    authority: facts.authority ?? 'app.example.com',
    target: facts.target ?? '/',
  };
  const filters: FilterMaker[] = [];
  const answerFilters: FilterMaker[] = [];
  const answerHeaders: [string, string][] = [];
  const listeners: ((end: ExchangeEnd) => void)[] = [];
  const req: TestRequest | null =
    facts.request === null
      ? null
      : {
          method: facts.method ?? 'GET',
          ...sent,
          sent,
          rewrite(url) {
            if (url.authority !== this.authority) this.headers.set('host', url.authority);
            Object.assign(this, url);
          },
          version: 'HTTP/1.1',
          contentLength: facts.contentLength ?? -1,
          headers: new TestHeaders(facts.headers),
          headerReceivedAt: NOW - 500,
          bodyReceivedAt: facts.bodyReceivedAt ?? 0,
          loginCookies: facts.loginCookies ?? '',
          filters,
          answerHeaders,
          listeners,
          readBody: (limit) => Promise.resolve(bodies.request.length > limit ? 'too-large' : bodies.request),
          readBodyStart: (limit) => Promise.resolve(bodies.request.subarray(0, limit)),
          reserve,
          replaceBody: (body) => void (bodies.request = body),
          filterBody: (maker) => void filters.push(maker),
          answerHeader: (name, value) => void answerHeaders.push([name, value]),
          onEnd: (listener) => void listeners.push(listener),
        };
  const res: TestResponse | null =
    facts.status === undefined
      ? null
      : {
          statusCode: facts.status,
          contentLength: facts.responseLength ?? -1,
          headers: new TestHeaders(facts.responseHeaders),
          filters: answerFilters,
          encodings,
          readBody: (limit) => Promise.resolve(bodies.response.length > limit ? 'too-large' : bodies.response),
          readBodyStart: (limit) => Promise.resolve(bodies.response.subarray(0, limit)),
          reserve,
          replaceBody: (body) => void (bodies.response = body),
          get encodes() {
            return encodings.length > 0;
          },
          filterBody: (maker) => void answerFilters.push(maker),
          encodeBody: (coding) => void encodings.push(coding),
        };
  return {
    services: { ...NO_SERVICES, ...facts.services },
    signal: facts.signal ?? new AbortController().signal,
    conn,
    endpoint: {
      id: 'ep_1',
      accountId: 'ac_1',
      url: 'https://app.example.com',
      host: 'app.example.com',
      port: 443,
      proto: 'https',
    },
    req,
    res,
    work: { unitsLeft: REQUEST_BUDGET, effortLeft: REQUEST_EFFORT },
    event: facts.event ?? null,
    responseVars: null,
    results: null,
    tlsTermination: null,
    now: () => facts.now ?? NOW,
    random: () => facts.random ?? 0.5,
    warn: (message) => void warnings.push(message),
    warnings,
    bodies,
  };
}

/** Lets everything through, and knows nothing. */
const NO_SERVICES: PolicyServices = {
  addresses: null,
  bcrypt: { matches: () => Promise.resolve(null) },
  breakers: { enter: () => ({ leave: () => {} }) },
  counters: { take: () => 0 },
  events: { emit: () => {} },
  firewall: null,
  keys: { at: () => Promise.resolve({ problem: 'there is no such set here' }) },
  outgoing: null,
  relays: null,
  providers: {
    callbackUrl: 'https://idp.test/oauth2/callback',
    settings: () => null,
    ask: () => Promise.resolve({ problem: 'nobody is asked here' }),
    document: () => Promise.resolve({ problem: 'nobody is asked here' }),
  },
  resources: { secret: () => null, ipPolicy: () => null, certificateAuthority: () => null },
  slices: {
    run(_, step) {
      while (!step());
      return Promise.resolve('done');
    },
  },
  sessions: {
    seal: (text) => text,
    open: () => null,
    random: () => 'x'.repeat(43),
    end: () => {},
    isOver: () => false,
    spend: () => true,
    isUnseen: () => false,
    tell: () => {},
    once: (_key, work) => work(),
    isShared: () => false,
  },
};

const NO_TLS: TlsView = {
  sni: '',
  version: '',
  cipherSuite: '',
  negotiatedAlpn: '',
  sessionResumed: false,
  ja4Fingerprint: '',
  client: null,
  server: null,
};

export const CLIENT_CERTIFICATE: CertificateView = {
  subject: 'CN=service-a,O=Example',
  subjectCommonName: 'service-a',
  issuer: 'CN=Example CA',
  issuerCommonName: 'Example CA',
  serialNumber: 'B53017E7',
  sanDnsNames: ['service-a.example.com'],
  notBefore: NOW - 86_400_000,
  notAfter: NOW + 86_400_000,
  pem: '',
};
