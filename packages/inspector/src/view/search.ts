import { bytesOf } from '../record/blocks.ts';
import type { Capture, Exchange } from '../record/exchange.ts';
import type { Recorder } from '../record/recorder.ts';
import { decodeBody } from './body.ts';
import { durationOf, summaryOf } from './exchange-view.ts';
import type { ExchangeSummary } from './shapes.ts';
import { inflateFrames } from './inflate-frames.ts';
import { readWireMessage } from './wire-message.ts';

/** All that are given must hold. */
export interface Filter {
  readonly tunnel?: string;
  readonly method?: string;
  /** Part of path and query. */
  readonly path?: string;
  readonly status?: (status: number) => boolean;
  /** Milliseconds. */
  readonly slowerThan?: number;
  /** Bytes of the response. */
  readonly largerThan?: number;
  /** Part of the value of any header, either side. */
  readonly header?: string;
  /** Part of the content type of the answer. */
  readonly type?: string;
  /** Anywhere: lines, headers, decoded bodies, frames and events. ASCII letters of either case. */
  readonly text?: string;
}

/** Bytes after which others get a turn. */
const SLICE_BYTES = 512 * 1024;

/** @throws FilterProblem for a value that cannot be meant */
export function filterOf(query: URLSearchParams): Filter {
  const text = (name: string): string | undefined => query.get(name) || undefined;
  const number = (name: string): number | undefined => {
    const value = text(name);
    if (value !== undefined && !/^\d{1,12}$/.test(value)) throw new FilterProblem(`${name}: "${value}" is no number`);
    return value === undefined ? undefined : Number(value);
  };
  const status = text('status');
  const given = {
    tunnel: text('tunnel_name'),
    method: text('method')?.toUpperCase(),
    path: text('path')?.toLowerCase(),
    status: status === undefined ? undefined : statusTest(status),
    slowerThan: number('min_duration'),
    largerThan: number('min_size'),
    header: text('header'),
    type: text('type')?.toLowerCase(),
    text: text('q'),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

export class FilterProblem extends Error {}

/** `404`, `4xx`, `>=400`, `<300`, several with commas. */
function statusTest(text: string): (status: number) => boolean {
  const tests = text.split(',', 16).map((part): ((status: number) => boolean) => {
    const [, digit] = /^([1-5])xx$/i.exec(part) ?? [];
    if (digit !== undefined) return (status) => Math.floor(status / 100) === Number(digit);
    const [, sign, digits] = /^(>=|<=|>|<)?(\d{1,3})$/.exec(part) ?? [];
    if (digits === undefined) throw new FilterProblem(`status: "${part}" is neither a code, 4xx, nor >=400`);
    const code = Number(digits);
    if (sign === '>=') return (status) => status >= code;
    if (sign === '<=') return (status) => status > 0 && status <= code;
    if (sign === '>') return (status) => status > code;
    if (sign === '<') return (status) => status > 0 && status < code;
    return (status) => status === code;
  });
  return (status) => tests.some((test) => test(status));
}

/** Numbers, newest first, at most `limit` of those older than `before` (a number; 0 = all). Gives others their turns. */
export async function search(
  recorder: Recorder,
  filter: Filter,
  limit: number,
  before: number,
): Promise<readonly number[]> {
  const found: number[] = [];
  let read = 0;
  for (const number of recorder.newestFirst().map((exchange) => exchange.number)) {
    if (found.length >= limit) break;
    const exchange = recorder.numbered(number);
    if (exchange === undefined || (before > 0 && number >= before)) continue;
    read += exchange.request.keptBytes + exchange.response.keptBytes + 1_024;
    // Its frames may unfold to much.
    if (filter.text !== undefined && exchange.messages.length > 0) read += SLICE_BYTES;
    if (matches(recorder, exchange, filter)) found.push(number);
    if (read < SLICE_BYTES) continue;
    read = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return found;
}

function matches(recorder: Recorder, exchange: Exchange, filter: Filter): boolean {
  if (filter.tunnel !== undefined && exchange.tunnel !== filter.tunnel) return false;
  if (filter.status !== undefined && !filter.status(exchange.status)) return false;
  if (filter.slowerThan !== undefined && durationOf(recorder, exchange) < filter.slowerThan) return false;
  if (filter.largerThan !== undefined && exchange.response.wireBytes < filter.largerThan) return false;
  const needsWords = filter.method ?? filter.path ?? filter.type;
  if (needsWords !== undefined && !wordsMatch(summaryOf(recorder, exchange), filter)) return false;
  if (filter.header !== undefined && !headerHas(exchange, folded(filter.header))) return false;
  return filter.text === undefined || holds(exchange, folded(filter.text));
}

function wordsMatch(summary: ExchangeSummary, filter: Filter): boolean {
  if (filter.method !== undefined && summary.method !== filter.method) return false;
  if (filter.path !== undefined && !summary.path.toLowerCase().includes(filter.path)) return false;
  return filter.type === undefined || summary.type.toLowerCase().includes(filter.type);
}

function headerHas(exchange: Exchange, needle: string): boolean {
  return [exchange.request, exchange.response].some((side) =>
    readWireMessage(bytesOf(side.pieces)).fields.some(([, value]) => value.toLowerCase().includes(needle)),
  );
}

function holds(exchange: Exchange, needle: string): boolean {
  const { request, response, messages } = exchange;
  return (
    sideHolds(request, needle) ||
    sideHolds(response, needle) ||
    messages.some(({ pieces }) => includes(bytesOf(pieces), needle)) ||
    [...inflateFrames(exchange).values()].some((inflated) => Buffer.isBuffer(inflated) && includes(inflated, needle))
  );
}

function includes(bytes: Buffer, needle: string): boolean {
  return bytes.toString('latin1').toLowerCase().includes(needle);
}

function sideHolds(side: Capture, needle: string): boolean {
  const bytes = bytesOf(side.pieces);
  if (bytes.length === 0) return false;
  const message = readWireMessage(bytes);
  const head = bytes.toString('latin1', 0, message.headBytes).toLowerCase();
  return head.includes(needle) || includes(decodeBody(message).bytes, needle);
}

/** Bytes are compared as latin1 text; so is what is looked for. */
function folded(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1').toLowerCase();
}
