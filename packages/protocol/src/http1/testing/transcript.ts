/**
 * Test support: feeds bytes to a parser in chosen pieces and writes down what came out, so that two ways of cutting the
 * same bytes can be compared as text.
 */
import { createRequestParser } from '../request-parser.ts';
import { createResponseParser } from '../response-parser.ts';
import type {
  Framing,
  Http1Failure,
  Http1Limits,
  Http1Parser,
  Http1Sink,
  RawFields,
  RequestHead,
  ResponseHead,
} from '../types.ts';

export interface Transcript {
  /** One line per event; body slices are joined. */
  readonly lines: string[];
  readonly failure: Http1Failure | null;
  readonly heads: number;
  /** Bytes that the parser left, because it failed or switched. */
  readonly rest: string;
}

/** How bytes are cut: sizes of pieces, repeated as long as there are bytes. */
export type Cuts = readonly number[];

export const WHOLE: Cuts = [Number.MAX_SAFE_INTEGER];
export const BY_BYTE: Cuts = [1];

/** Pseudo-random piece sizes from 1 to 40, the same for the same seed. */
export function randomCuts(seed: number): Cuts {
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  return Array.from({ length: 97 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return 1 + ((state >>> 16) % 40);
  });
}

function framingText(framing: Framing): string {
  return framing.kind === 'length' ? `length ${framing.length}` : framing.kind;
}

function fieldText(fields: RawFields): string {
  const pairs: string[] = [];
  for (let index = 0; index < fields.length; index += 2)
    pairs.push(`${fields[index] ?? ''}=${fields[index + 1] ?? ''}`);
  return pairs.join('|');
}

class Recorder<H> implements Http1Sink<H> {
  readonly lines: string[] = [];
  heads = 0;
  private body = '';
  private readonly describe: (head: H) => string;

  constructor(describe: (head: H) => string) {
    this.describe = describe;
  }

  onHead(head: H): void {
    this.heads += 1;
    this.lines.push(this.describe(head));
  }
  onBody(chunk: Buffer, start: number, end: number): void {
    if (end <= start) throw new Error('an empty body slice');
    this.body += chunk.toString('latin1', start, end);
  }
  onTrailers(fields: RawFields): void {
    this.flush();
    this.lines.push(`trailers ${fieldText(fields)}`);
  }
  onEnd(): void {
    this.flush();
    this.lines.push('end');
  }
  flush(): void {
    if (this.body !== '') this.lines.push(`body ${this.body}`);
    this.body = '';
  }
}

function feed(parser: Http1Parser, recorder: Recorder<never>, bytes: Buffer, cuts: Cuts, fin: boolean): Transcript {
  let at = 0;
  let piece = 0;
  while (at < bytes.length && parser.failure === null) {
    const end = Math.min(bytes.length, at + (cuts[piece++ % cuts.length] ?? 1));
    // A piece of its own buffer with rubbish around it: offsets that are mixed up show.
    const chunk = Buffer.concat([Buffer.from('\r\n\r\nzz'), bytes.subarray(at, end), Buffer.from('\r\n\r\n')]);
    let offset = 6;
    const stop = 6 + end - at;
    let stuck = false;
    while (offset < stop && parser.failure === null && !stuck) {
      const before = offset;
      const lines = recorder.lines.length;
      offset = parser.execute(chunk, offset, stop);
      if (offset < before || offset > stop) throw new Error('execute returned an offset outside its range');
      stuck = offset === before && recorder.lines.length === lines;
    }
    at += offset - 6;
    if (stuck) break;
  }
  if (fin) parser.finish();
  recorder.flush();
  return { lines: recorder.lines, failure: parser.failure, heads: recorder.heads, rest: bytes.toString('latin1', at) };
}

function requestText(head: RequestHead): string {
  const marks = [
    head.minor === 0 ? '1.0' : '',
    head.keepAlive ? '' : 'close',
    head.upgrade === '' ? '' : `upgrade=${head.upgrade}`,
    head.expectContinue ? 'expect' : '',
  ].filter((mark) => mark !== '');
  return [head.method, head.target, `@${head.authority}`, framingText(head.framing), ...marks].join(' ');
}

function responseText(head: ResponseHead): string {
  const marks = [
    head.minor === 0 ? '1.0' : '',
    head.keepAlive ? '' : 'close',
    head.upgrade === '' ? '' : `upgrade=${head.upgrade}`,
  ].filter((mark) => mark !== '');
  return [head.status, head.reason === '' ? '-' : head.reason, framingText(head.framing), ...marks].join(' ');
}

/** With `fields`, each head line also carries its fields. */
export interface FeedOptions {
  readonly cuts?: Cuts;
  readonly fields?: boolean;
  readonly limits?: Partial<Http1Limits>;
  readonly fin?: boolean;
}

export function feedRequests(raw: string | Buffer, options: FeedOptions = {}): Transcript {
  const recorder = new Recorder<RequestHead>((head) =>
    options.fields === true ? `${requestText(head)} ${fieldText(head.fields)}` : requestText(head),
  );
  const parser = createRequestParser(recorder, options.limits);
  return feed(parser, recorder, toBytes(raw), options.cuts ?? WHOLE, options.fin ?? false);
}

/** @param methods of the requests that the responses answer; `upgrade` after a method allows 101: `GET upgrade` */
export function feedResponses(methods: readonly string[], raw: string | Buffer, options: FeedOptions = {}): Transcript {
  const recorder = new Recorder<ResponseHead>((head) =>
    options.fields === true ? `${responseText(head)} ${fieldText(head.fields)}` : responseText(head),
  );
  const parser = createResponseParser(recorder, options.limits);
  for (const method of methods) parser.expect(method.split(' ')[0] ?? '', method.endsWith(' upgrade'));
  return feed(parser, recorder, toBytes(raw), options.cuts ?? WHOLE, options.fin ?? false);
}

function toBytes(raw: string | Buffer): Buffer {
  return typeof raw === 'string' ? Buffer.from(raw, 'latin1') : raw;
}
