/**
 * Puts load on one target: `wrk` where it is installed, else (and for TLS, where wrk cannot send the server name of a
 * host that does not resolve) our own generator.
 */
import { Child } from './children.ts';

export interface LoadTarget {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Host field and TLS server name. */
  readonly hostHeader: string;
  readonly tls: boolean;
  /** Further fields, names and values in turn. */
  readonly headers?: readonly string[];
  /** What sends it, where it is not a request after the other on kept connections. */
  readonly by?: LoadKind;
  /** In place of the run's own number. */
  readonly connections?: number;
}

/**
 * `http2`: requests on streams (over TLS). `websocket`: a message, and its echo, after the other. `cold`: a connection
 * for each request; `resumed`: the same, its TLS session taken up again.
 */
export type LoadKind = 'http2' | 'websocket' | 'cold' | 'resumed';

const PARTS: Readonly<Record<LoadKind, string>> = {
  http2: 'generator-http2',
  websocket: 'generator-websocket',
  cold: 'generator-cold',
  resumed: 'generator-cold',
};

export interface LoadOrder extends LoadTarget {
  readonly connections: number;
  readonly seconds: number;
  /** Of our own generators whose connections stay: the end is when so many are answered, at the latest behind `seconds`. */
  readonly requests?: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Responses other than 200, and connections that failed. */
  readonly errors: number;
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** @param onStart called when everything is connected, just before the first request (with wrk: before it connects) */
export async function load(order: LoadOrder, wrk: string | null, onStart: () => void): Promise<LoadResult> {
  return wrk === null || order.tls || order.by !== undefined ? ownLoad(order, onStart) : wrkLoad(order, wrk, onStart);
}

async function ownLoad(order: LoadOrder, onStart: () => void): Promise<LoadResult> {
  const child = Child.part(order.by === undefined ? 'generator' : PARTS[order.by], JSON.stringify(order), true);
  try {
    await child.line();
    onStart();
    child.say('go');
    const result: LoadResult = JSON.parse(await child.line(order.seconds * 1_000 + 20_000));
    return result;
  } finally {
    await child.stop();
  }
}

async function wrkLoad(order: LoadOrder, wrk: string, onStart: () => void): Promise<LoadResult> {
  const url = `http://${order.host}:${order.port}${order.path}`;
  const options = [
    '-t1',
    `-c${order.connections}`,
    `-d${order.seconds}s`,
    '--latency',
    '-H',
    `Host: ${order.hostHeader}`,
  ];
  const { headers = [] } = order;
  for (let at = 0; at < headers.length; at += 2) options.push('-H', `${headers[at]}: ${headers[at + 1]}`);
  onStart();
  const child = new Child(wrk, [...options, url]);
  const lines: string[] = [];
  try {
    for (;;) {
      const line = await child.line(order.seconds * 1_000 + 20_000);
      lines.push(line);
      if (line.startsWith('Transfer/sec')) break;
    }
  } finally {
    await child.stop();
  }
  return readWrk(lines.join('\n'));
}

function readWrk(text: string): LoadResult {
  const total = /(\d+) requests in ([\d.]+)(m?s|m)/.exec(text);
  if (total === null) throw new Error(`wrk said:\n${text}`);
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text);
  const bad = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  const failed = socketErrors === null ? 0 : socketErrors.slice(1).reduce((sum, count) => sum + Number(count), 0);
  return {
    requests: Number(total[1]),
    seconds: microseconds(`${total[2]}${total[3]}`) / 1e6,
    errors: bad + failed,
    p50: microseconds(/ 50%\s+(\S+)/.exec(text)?.[1] ?? ''),
    p99: microseconds(/ 99%\s+(\S+)/.exec(text)?.[1] ?? ''),
  };
}

function microseconds(text: string): number {
  const match = /^([\d.]+)(us|ms|s|m)$/.exec(text);
  const unit = { us: 1, ms: 1e3, s: 1e6, m: 6e7 }[match?.[2] ?? ''];
  return match === null || unit === undefined ? Number.NaN : Number(match[1]) * unit;
}
