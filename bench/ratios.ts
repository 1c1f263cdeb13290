/** The ratios that matter, with what is aimed at: they hold from machine to machine, the absolute figures do not. */
import { type BulkSample, DIRECTIONS } from './bulk.ts';
import { median, type Sample } from './measure.ts';

export type Samples = ReadonlyMap<string, readonly Sample[]>;
export type BulkSamples = ReadonlyMap<string, readonly BulkSample[]>;

/** One of them in this run: the median of the rounds' own ratios, and their range. */
export interface Ratio {
  readonly text: string;
  readonly value: number;
  readonly least: number;
  readonly most: number;
  /** Highest value that meets the aim; null = there is none. */
  readonly aim: number | null;
}

interface Comparison {
  readonly text: string;
  readonly over: string;
  readonly under: string;
  readonly aim: number | null;
  /** CPU of all parts (by default), of the server alone, or what the path adds to the latency of one connection. */
  readonly of?: 'server' | 'latency';
}

const REQUESTS: readonly Comparison[] = [
  { text: 'http through an agent ÷ nginx twice', over: 'http', under: 'nginx-twice', aim: 0.8 },
  { text: 'http through an agent ÷ our TCP endpoint, same requests', over: 'http', under: 'tcp', aim: 1.25 },
  { text: 'https through an agent ÷ nginx twice with https', over: 'https', under: 'nginx-twice-tls', aim: 0.9 },
  { text: 'http through an agent ÷ node:http proxy (one hop)', over: 'http', under: 'node-proxy', aim: 0.3 },
  { text: 'https through an agent ÷ node:http proxy (one hop, no TLS)', over: 'https', under: 'node-proxy', aim: null },
  { text: 'http with the inspector on ÷ off', over: 'inspected', under: 'http', aim: 1.15 },
  { text: 'cloud endpoint ÷ nginx answering by itself', over: 'cloud', under: 'nginx-answer', aim: 1.5 },
  { text: 'cloud endpoint ÷ nginx once', over: 'cloud', under: 'nginx-once', aim: null },
  { text: 'HTTP/2 through an agent ÷ node:http2 proxy (one hop)', over: 'h2', under: 'node-http2', aim: 0.7 },
  { text: 'server with an official agent ÷ with ours', over: 'sdk', under: 'http', aim: 1.3, of: 'server' },
  { text: 'an empty policy ÷ none', over: 'empty-policy', under: 'no-policy', aim: 1.02 },
  { text: 'ten rules ÷ none', over: 'ten-rules', under: 'no-policy', aim: null },
  { text: '100,000 routes ÷ 10', over: 'many-routes', under: 'few-routes', aim: 1.05 },
  { text: 'WebSocket messages ÷ nginx twice', over: 'websocket', under: 'nginx-websocket', aim: null },
  { text: 'cold connections ÷ nginx twice', over: 'cold-http', under: 'nginx-cold-http', aim: null },
  { text: 'full handshakes ÷ nginx twice', over: 'cold-https', under: 'nginx-cold-https', aim: null },
  { text: 'resumed handshakes ÷ nginx twice', over: 'cold-resumed', under: 'nginx-cold-resumed', aim: null },
  { text: 'a bare net server ÷ nginx twice, cold', over: 'bare-cold-http', under: 'nginx-cold-http', aim: null },
  { text: 'a bare tls server ÷ nginx twice, full', over: 'bare-cold-https', under: 'nginx-cold-https', aim: null },
  {
    text: 'a bare tls server ÷ nginx twice, resumed',
    over: 'bare-cold-resumed',
    under: 'nginx-cold-resumed',
    aim: null,
  },
  { text: 'TCP endpoint ÷ rathole', over: 'tcp', under: 'rathole', aim: 0.6 },
  { text: 'TCP endpoint ÷ frp', over: 'tcp', under: 'frp', aim: 0.45 },
  { text: 'TCP endpoint ÷ ssh -R', over: 'tcp', under: 'ssh', aim: null },
  { text: 'TCP endpoint ÷ nginx stream twice, TLS between', over: 'tcp', under: 'nginx-stream', aim: null },
  { text: 'TCP endpoint ÷ haproxy twice, TLS between', over: 'tcp', under: 'haproxy-tcp', aim: null },
  { text: 'added p50 at one connection ÷ nginx twice', over: 'http', under: 'nginx-twice', aim: 1.3, of: 'latency' },
];

const BULK: readonly Omit<Comparison, 'of'>[] = [
  { text: 'over http ÷ nginx twice, TLS between', over: 'http', under: 'nginx-twice', aim: 1 },
  { text: 'over http ÷ nginx stream twice, TLS between', over: 'http', under: 'nginx-stream', aim: 0.75 },
  { text: 'over http ÷ ssh -R', over: 'http', under: 'ssh', aim: 0.5 },
  { text: 'over http ÷ frp', over: 'http', under: 'frp', aim: 0.6 },
  { text: 'over http ÷ rathole', over: 'http', under: 'rathole', aim: 0.4 },
  { text: 'over TCP ÷ nginx stream twice, TLS between', over: 'tcp', under: 'nginx-stream', aim: 0.75 },
  { text: 'over TCP ÷ ssh -R', over: 'tcp', under: 'ssh', aim: 0.5 },
  { text: 'over TCP ÷ frp', over: 'tcp', under: 'frp', aim: 0.6 },
  { text: 'over TCP ÷ rathole', over: 'tcp', under: 'rathole', aim: 0.4 },
];

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

export function requestRatios(samples: Samples): readonly Ratio[] {
  return REQUESTS.map(({ text, over, under, aim, of }) =>
    ratioOf(
      text,
      (samples.get(over) ?? []).map((sample, round) => {
        const reference = samples.get(under)?.[round];
        if (reference === undefined) return Number.NaN;
        if (of === 'server') return (sample.cpu[0] ?? Number.NaN) / (reference.cpu[0] ?? Number.NaN);
        if (of !== 'latency') return sum(sample.cpu) / sum(reference.cpu);
        const direct = samples.get('direct')?.[round]?.quietP50 ?? Number.NaN;
        return (sample.quietP50 - direct) / (reference.quietP50 - direct);
      }),
      aim,
    ),
  ).filter(isKnown);
}

export function bulkRatios(samples: BulkSamples): readonly Ratio[] {
  return BULK.flatMap(({ text, over, under, aim }) =>
    DIRECTIONS.map((direction) => {
      const references = samples.get(`${under} ${direction}`) ?? [];
      const values = (samples.get(`${over} ${direction}`) ?? []).map((sample, round) => {
        const reference = references[round];
        return reference === undefined ? Number.NaN : sum(sample.cpu) / sum(reference.cpu);
      });
      return ratioOf(`bulk ${direction} ${text}`, values, aim);
    }),
  ).filter(isKnown);
}

export function ratioOf(text: string, rounds: readonly number[], aim: number | null): Ratio {
  const known = rounds.filter((value) => !Number.isNaN(value));
  return { text, value: median(known), least: Math.min(...known), most: Math.max(...known), aim };
}

const isKnown = ({ value }: Ratio): boolean => !Number.isNaN(value);
