/**
 * What a compiled policy needs from whoever runs it (the edge), and what it gives back. The edge implements the views
 * over its own connection and exchange; nothing here allocates until a rule asks.
 */
import type { PosternError } from '@postern/errors';
import type { Binding, Scheme } from '@postern/link';
import type { FilterMaker } from './body-filter.ts';
import type { PolicyServices, RelayedAnswer } from './services.ts';

export type PhaseName = 'on_tcp_connect' | 'on_http_request' | 'on_http_response' | 'on_event_stream_message';

/** A mutable header list in wire order; names compare without case. */
export interface HeaderView {
  /** First value, or undefined. */
  get(name: string): string | undefined;
  getAll(name: string): string[];
  has(name: string): boolean;
  append(name: string, value: string): void;
  /** Replaces every value by one. */
  set(name: string, value: string): void;
  /** @returns whether there was one. */
  delete(name: string): boolean;
  /** Lines. */
  readonly size: number;
  /** [name, value] in order, names as sent. */
  entries(): Iterable<readonly [string, string]>;
}

export interface CertificateView {
  readonly subject: string;
  readonly subjectCommonName: string;
  readonly issuer: string;
  readonly issuerCommonName: string;
  readonly serialNumber: string;
  readonly sanDnsNames: readonly string[];
  readonly notBefore: number;
  readonly notAfter: number;
  readonly pem: string;
}

export interface TlsView {
  readonly sni: string;
  /** '1.2', '1.3' or '' before the handshake. */
  readonly version: string;
  readonly cipherSuite: string;
  readonly negotiatedAlpn: string;
  readonly sessionResumed: boolean;
  /** Of the ClientHello; '' = not known. */
  readonly ja4Fingerprint: string;
  readonly client: CertificateView | null;
  readonly server: CertificateView | null;
}

export interface ConnView {
  readonly clientIp: string;
  readonly clientPort: number;
  readonly serverIp: string;
  readonly serverPort: number;
  readonly serverRegion: string;
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly tls: TlsView | null;
}

export interface EndpointView {
  readonly id: string;
  readonly accountId: string;
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly proto: Scheme;
}

/** A URL in the parts that requests carry it in. */
export interface UrlView {
  readonly scheme: string;
  readonly authority: string;
  readonly target: string;
}

export interface RequestView {
  method: string;
  /** 'http' or 'https'. With authority (host[:port]) and target (path and query): as sent, until a rule rewrites them. */
  readonly scheme: string;
  readonly authority: string;
  readonly target: string;
  /** The visitor's own URL, whatever rules have made of it. */
  readonly sent: UrlView;
  /** 'HTTP/1.1', 'HTTP/2.0', … */
  readonly version: string;
  /** -1 when not announced. */
  readonly contentLength: number;
  readonly headers: HeaderView;
  /** Unix milliseconds. */
  readonly headerReceivedAt: number;
  /** Unix milliseconds; 0 = it has not all come yet. */
  readonly bodyReceivedAt: number;
  /** Cookies of log-ins, `name=value; name=value`: no rule and no service sees them among the others. '' = none */
  readonly loginCookies: string;
  /** Asks for another URL: the service gets its target and, where the authority is another, that as its host. */
  rewrite(url: UrlView): void;
  /**
   * All of the body, as sent; the service gets it all the same, and actions that read it again share the bytes.
   * @param limit bytes; a larger body goes on to the service, and nobody here sees it
   */
  readBody(limit: number): Promise<Buffer | BodyProblem>;
  /** As `readBody`, but of a larger body its first `limit` bytes. */
  readBodyStart(limit: number): Promise<Buffer | BodyProblem>;
  /** What the body passes on its way to the service, behind filters that were asked for before. */
  filterBody(maker: FilterMaker): void;
  /** Memory for what is made of a body that has been read; given back with it. @returns whether there is as much */
  reserve(bytes: number): boolean;
  /** In place of the body that has been read, for the service and for whoever reads it again; it is not copied. */
  replaceBody(body: Buffer): void;
  /** On whatever answer the visitor gets, pages of errors too. */
  answerHeader(name: string, value: string): void;
  /** Told once, when the exchange is over: answered, cut, or left by its visitor. */
  onEnd(listener: (end: ExchangeEnd) => void): void;
}

/** How an exchange ended. */
export interface ExchangeEnd {
  /** Of the answer that the visitor got; 0 = none. */
  readonly status: number;
  /** Of the page, when the answer was one of ours; '' = it was not. */
  readonly errorCode: string;
  /** 'complete', or why not: 'client-gone', 'upstream-reset', … */
  readonly reason: string;
  /** Bytes of bodies from and to the visitor. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Milliseconds since its head had come. */
  readonly ms: number;
}

/** Why a body cannot be had: larger than asked for; not here in time; its visitor has left; no memory for it now. */
export type BodyProblem = 'too-large' | 'too-slow' | 'gone' | 'no-room';

export interface ResponseView {
  statusCode: number;
  readonly contentLength: number;
  readonly headers: HeaderView;
  /** All of the body, as it came; see `RequestView.readBody`. */
  readBody(limit: number): Promise<Buffer | BodyProblem>;
  /** As `readBody`, but of a larger body its first `limit` bytes. */
  readBodyStart(limit: number): Promise<Buffer | BodyProblem>;
  /** What the body passes on its way to the visitor, behind filters that were asked for before. */
  filterBody(maker: FilterMaker): void;
  /** See `RequestView`. */
  reserve(bytes: number): boolean;
  replaceBody(body: Buffer): void;
  /** An encoder has been asked for: what is read has not passed it, whatever Content-Encoding says by now. */
  readonly encodes: boolean;
  /** The body passes this encoder, as a filter; headers are the action's business. */
  encodeBody(coding: 'gzip' | 'deflate' | 'br'): void;
}

/** One message of an event stream (`text/event-stream`), as rules see and change it. */
export interface EventView {
  /** Its lines of data, LF between them; null = it has none. */
  get data(): Buffer | null;
  set data(value: Buffer);
  /** Its last one, as written; null = it has none. */
  get retry(): Buffer | null;
  set retry(value: Buffer);
  /** Memory for what is made of it; given back when it has gone. @returns whether there is as much */
  reserve(bytes: number): boolean;
}

/** What `terminate-tls` asks for; PEM texts. */
export interface TlsTermination {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly cert: string | null;
  readonly key: string | null;
  readonly clientCas: readonly string[];
  readonly clientCertificates: 'none' | 'require-and-verify' | 'require-any' | 'request';
}

/** What the rules of one request, or of one connection's `on_tcp_connect`, may still cost: `REQUEST_BUDGET` at first. */
export interface WorkLeft {
  /** About ten nanoseconds of one core each; below 0 nothing more is judged. */
  unitsLeft: number;
  /** What searches through bodies may still cost, counted apart: they take turns with all others' (regex/effort.ts). */
  effortLeft: number;
}

/** One connection or exchange under a policy. `req` exists in the HTTP phases, `res` in on_http_response. */
export interface PolicyContext {
  readonly services: PolicyServices;
  /** Aborted when what the policy runs for is over: the visitor has left, or has an answer. */
  readonly signal: AbortSignal;
  readonly conn: ConnView;
  readonly endpoint: EndpointView;
  readonly req: RequestView | null;
  readonly res: ResponseView | null;
  /** In on_event_stream_message. */
  readonly event: EventView | null;
  /** Shared by all phases of all endpoints that the request passes. */
  readonly work: WorkLeft;
  /** What on_http_response has set, which on_event_stream_message sees; kept by the runner. */
  responseVars: Map<string, unknown> | null;
  /** Results of actions (`actions.ngrok.<name>`), shared by the phases of one exchange; made by the runner. */
  results: Map<string, unknown> | null;
  /** Set by `terminate-tls`. */
  tlsTermination: TlsTermination | null;
  /** Whether an expression that fails ends the request (2254), where it is passed over otherwise; absent = no. */
  readonly strict?: boolean;
  /** Unix milliseconds. */
  now(): number;
  /** [0, 1) */
  random(): number;
  /** For conditions worth a log line: an expression that failed at run time. */
  warn(message: string): void;
}

/** Where an internal endpoint is, taken apart when the rule was written, or when its text was filled in. */
export interface InternalAddress {
  readonly scheme: Scheme;
  /** Lower-case. */
  readonly host: string;
  readonly port: number;
  /** As the rule has it, for people. */
  readonly url: string;
}

/** What a phase came to. An outcome that no action of the phase may have is an error of ours (2300). */
export type Outcome =
  /** Every rule passed: go on (upstream, or the next stage). */
  | { readonly kind: 'continue' }
  /** Answer this; `on_http_response` of the same policy still runs over it. */
  | {
      readonly kind: 'respond';
      readonly status: number;
      readonly headers: readonly (readonly [string, string])[];
      readonly body: Buffer;
      /** This very object answers every request of the rule: what is made of it may be kept with it. */
      readonly constant?: true;
      /** By `deny`: whoever shows it to people may say so in words; its body is empty. */
      readonly denied?: true;
    }
  /** An error page of ours, negotiated by Accept; `headers` are added to it (e.g. www-authenticate). */
  | {
      readonly kind: 'error';
      readonly error: PosternError;
      readonly headers: readonly (readonly [string, string])[];
    }
  /** End the connection without an answer. */
  | { readonly kind: 'close' }
  /** Hand over to an internal endpoint; tell the run how it went only if it failed. */
  | { readonly kind: 'forward'; readonly to: InternalAddress; readonly onError: 'halt' | 'continue' }
  /** Somebody outside answers, as `services.relays` has it; the error of `open` is as one of a forward. */
  | {
      readonly kind: 'relay';
      /** Called once. Never rejects; over with the exchange, whose policies' time it does not take. */
      readonly open: () => Promise<RelayedAnswer | PosternError>;
      readonly onError: 'halt' | 'continue';
    };

/** One phase under way: a cursor that is synchronous as long as its actions are. */
export interface PhaseRun {
  /** Runs from the cursor to the next outcome. */
  next(): Outcome | Promise<Outcome>;
  /** After a `forward` or `relay` with onError 'continue' failed: records the error and goes on behind that action. */
  forwardFailed(error: PosternError): Outcome | Promise<Outcome>;
}

export interface CompiledPhase {
  readonly name: PhaseName;
  start(context: PolicyContext): PhaseRun;
}

/** null phases have no rules: skip them without a call. */
export interface CompiledPolicy {
  readonly onTcpConnect: CompiledPhase | null;
  readonly onHttpRequest: CompiledPhase | null;
  readonly onHttpResponse: CompiledPhase | null;
  /** Once for each message of an event stream, behind all of on_http_response. */
  readonly onEventStreamMessage: CompiledPhase | null;
}

export interface CompileOptions {
  readonly protocol: Scheme;
  readonly binding: Binding;
  /** Cloud endpoints must end every path (2235); the others fall through to their upstream. */
  readonly kind: 'cloud' | 'agent' | 'edge';
  /** false = this server has no rules of a firewall, and actions that need them are refused. */
  readonly firewall?: boolean;
}
