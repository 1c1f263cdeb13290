/** What the pages are told. Types only: browsers read them. */
import type { TunnelMetricsView } from '../meters/tunnel-meters.ts';

export interface ExchangeSummary {
  readonly id: string;
  readonly tunnel: string;
  readonly method: string;
  readonly path: string;
  /** 0 = no answer yet. */
  readonly status: number;
  /** RFC 3339. */
  readonly start: string;
  /** Milliseconds so far, or in all. */
  readonly duration: number;
  readonly outcome: 'open' | 'done' | 'cut' | 'switched' | 'unreadable';
  readonly client: string;
  /** Of the response, on the wire. */
  readonly bytes: number;
  readonly type: string;
  readonly messages: number;
  /** What its messages are, where it has some. */
  readonly streams: 'websocket' | 'events' | 'messages' | '';
  readonly replayOf: string;
}

export interface BodyView {
  /** Bytes on the wire, head included; and how many of them were kept. */
  readonly wireBytes: number;
  readonly truncated: boolean;
  readonly type: string;
  /** Bytes of the body, decoded. */
  readonly size: number;
  readonly text?: string;
  /** Where it is no text. */
  readonly base64?: string;
  readonly problem?: string;
}

export interface SideView {
  /** Method, target and version, or version, status and reason. */
  readonly line: readonly [string, string, string];
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: BodyView;
  /** The bytes of the wire as latin1 text. */
  readonly raw: string;
}

export interface ExchangeDetail extends ExchangeSummary {
  readonly request: SideView;
  readonly response: SideView | null;
  /** Milliseconds since the first byte; -1 = not yet. */
  readonly timing: { readonly requestEnd: number; readonly firstByte: number; readonly end: number };
}

export interface MessageView {
  readonly number: number;
  /** Milliseconds since the exchange began. */
  readonly at: number;
  readonly kind: 'frame' | 'event' | 'grpc' | 'trailers';
  readonly fromVisitor: boolean;
  readonly opcode: number;
  readonly final: boolean;
  readonly deflated: boolean;
  /** Of the payload, as it passed. */
  readonly bytes: number;
  readonly truncated: boolean;
  /** First frames of deflated messages: bytes of the message unfolded, which text or base64 are then; or why not. */
  readonly inflated?: number;
  readonly problem?: string;
  readonly text?: string;
  readonly base64?: string;
}

export interface StatusView {
  readonly session: string;
  readonly version: string;
  readonly region: string;
  readonly latency: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly recording: boolean;
  readonly all: TunnelMetricsView;
  readonly tunnels: readonly {
    readonly name: string;
    readonly url: string;
    readonly addr: string;
    readonly proto: string;
    readonly inspect: boolean;
    readonly metrics: TunnelMetricsView;
  }[];
}

/** What the stream of news brings, a few times a second at most: of which exchanges there is something new. */
export interface News {
  /** Ids; null = more than are worth telling: ask again. */
  readonly changed: readonly string[] | null;
  /** Ids of those that have new frames or events. */
  readonly messages: readonly string[];
}

/** A list of exchanges, newest first. */
export interface ExchangeList {
  readonly exchanges: readonly ExchangeSummary[];
  /** There are older ones that fit. */
  readonly more: boolean;
}

/** What to send instead of what came. What is left out stays as it was. */
export interface ReplayEdits {
  readonly tunnel_name?: string;
  readonly method?: string;
  /** Path and query. */
  readonly path?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
  readonly body_base64?: string;
}
