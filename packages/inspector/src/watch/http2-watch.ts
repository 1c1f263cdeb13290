import { type HeaderField, HpackDecoder } from '@postern/protocol';
import type { Capture, Exchange } from '../record/exchange.ts';
import type { Recorder } from '../record/recorder.ts';
import { EventWatch } from './event-watch.ts';
import { GrpcWatch } from './grpc-watch.ts';
import { Http2Frames } from './http2-frames.ts';
import type { HttpWatchOptions } from './http-watch-options.ts';

/** What a client says first (RFC 9113 §3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** Enough of it to tell. */
const PREFACE_SIGN = 16;
/** Of the fields of one block. */
const MOST_OF_FIELDS = 256 * 1024;
/** What a table of fields may take at most; a writer that uses more is not followed. */
const MOST_OF_TABLE = 65_536;
/** Streams that are followed at once; of more only the fields are read, which those after them rest on. */
const MOST_STREAMS = 1024;

interface Stream {
  readonly exchange: Exchange;
  answered: boolean;
  requestOver: boolean;
  requestGrpc: GrpcWatch | undefined;
  responseGrpc: GrpcWatch | undefined;
  events: EventWatch | undefined;
}

/**
 * One connection that carries HTTP/2, from the edge to a service that speaks it: each stream is an exchange. Heads are kept
 * as HTTP/1 writes them (`:authority` as Host), since that is how they are shown, searched and copied; data as it is.
 */
export class Http2Watch {
  readonly #options: HttpWatchOptions;
  readonly #recorder: Recorder;
  readonly #clientAddr: string;
  readonly #streams = new Map<number, Stream>();
  readonly #visitor: Http2Frames;
  readonly #service: Http2Frames;
  #prefaceLeft = PREFACE.length;
  #isLost = false;

  constructor(clientAddr: string, options: HttpWatchOptions) {
    this.#clientAddr = clientAddr;
    this.#options = options;
    this.#recorder = options.recorder;
    const [requests, responses] = [new HpackDecoder(), new HpackDecoder()];
    this.#visitor = new Http2Frames({
      onBlock: (id, block, isEnd) => this.#requestBlock(id, requests.decode(block, MOST_OF_FIELDS), isEnd),
      onData: (id, chunk, start, end) => this.#requestData(id, chunk, start, end),
      onEnd: (id) => this.#requestEnd(id),
      onReset: (id) => this.#finish(id, 'cut'),
      onTableSize: (bytes) => responses.allow(Math.min(bytes, MOST_OF_TABLE)),
    });
    this.#service = new Http2Frames({
      onBlock: (id, block, isEnd, isPromise) => {
        const fields = responses.decode(block, MOST_OF_FIELDS);
        if (!isPromise) this.#responseBlock(id, fields, isEnd);
      },
      onData: (id, chunk, start, end) => this.#responseData(id, chunk, start, end),
      onEnd: (id) => this.#responseEnd(id),
      onReset: (id) => this.#finish(id, 'cut'),
      onTableSize: (bytes) => requests.allow(Math.min(bytes, MOST_OF_TABLE)),
    });
  }

  /** Whether a connection that begins with these bytes carries HTTP/2; the edge sends its preface in one piece. */
  static reads(chunk: Buffer, at: number): boolean {
    return chunk.length - at >= PREFACE_SIGN && PREFACE.compare(chunk, at, at + PREFACE_SIGN, 0, PREFACE_SIGN) === 0;
  }

  fromVisitor(chunk: Buffer, start: number): void {
    const skipped = Math.min(this.#prefaceLeft, chunk.length - start);
    this.#prefaceLeft -= skipped;
    this.#read(this.#visitor, chunk, start + skipped);
  }

  fromService(chunk: Buffer): void {
    this.#read(this.#service, chunk, 0);
  }

  over(): void {
    for (const id of this.#streams.keys()) this.#finish(id, 'cut');
  }

  #read(frames: Http2Frames, chunk: Buffer, start: number): void {
    if (this.#isLost) return;
    try {
      frames.push(chunk, start);
    } catch {
      // Nothing behind it can be read: fields rest on those before them.
      this.#isLost = true;
      for (const id of this.#streams.keys()) this.#finish(id, 'unreadable');
    }
  }

  #requestBlock(id: number, fields: readonly HeaderField[], isEnd: boolean): void {
    const known = this.#streams.get(id);
    if (known !== undefined) this.#trailers(known, fields, true);
    else if (this.#streams.size < MOST_STREAMS) this.#begin(id, fields);
    if (isEnd) this.#requestEnd(id);
  }

  #begin(id: number, fields: readonly HeaderField[]): void {
    const exchange = this.#recorder.begin(this.#options.tunnel, this.#clientAddr, this.#options.replayOf ?? 0);
    exchange.listed = true;
    const isGrpc = GrpcWatch.reads(fields);
    this.#streams.set(id, {
      exchange,
      answered: false,
      requestOver: false,
      requestGrpc: isGrpc ? new GrpcWatch(this.#recorder, exchange, true) : undefined,
      responseGrpc: isGrpc ? new GrpcWatch(this.#recorder, exchange, false) : undefined,
      events: undefined,
    });
    const of = (name: string): string => fields.find(([each]) => each === name)?.[1] ?? '';
    const authority = of(':authority');
    const named: readonly HeaderField[] = authority === '' ? fields : [['host', authority], ...fields];
    this.#keepHead(exchange, exchange.request, `${of(':method')} ${of(':path') || authority} HTTP/2`, named);
    this.#recorder.changed(exchange);
  }

  #requestData(id: number, chunk: Buffer, start: number, end: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.#recorder.keep(stream.exchange, stream.exchange.request, chunk, start, end);
    stream.requestGrpc?.push(chunk, start, end);
  }

  #requestEnd(id: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.requestOver) return;
    stream.requestOver = true;
    stream.exchange.requestEnd = this.#recorder.age(stream.exchange);
    if (stream.answered) this.#finish(id, 'done');
    else this.#recorder.changed(stream.exchange);
  }

  #responseBlock(id: number, fields: readonly HeaderField[], isEnd: boolean): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    const { exchange } = stream;
    if (exchange.firstByte < 0) exchange.firstByte = this.#recorder.age(exchange);
    const status = fields.find(([name]) => name === ':status')?.[1] ?? '';
    if (status === '') this.#trailers(stream, fields, false);
    else {
      this.#keepHead(exchange, exchange.response, `HTTP/2 ${status} `, fields);
      if (Number(status) >= 200) exchange.status = Number(status);
      if (EventWatch.reads({ fields: fields.flat() })) stream.events = new EventWatch(this.#recorder, exchange);
      this.#recorder.changed(exchange);
    }
    if (isEnd) this.#responseEnd(id);
  }

  #responseData(id: number, chunk: Buffer, start: number, end: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.#recorder.keep(stream.exchange, stream.exchange.response, chunk, start, end);
    stream.responseGrpc?.push(chunk, start, end);
    stream.events?.push(chunk, start, end);
  }

  #responseEnd(id: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.answered = true;
    stream.events?.end();
    stream.events = undefined;
    if (stream.requestOver) this.#finish(id, 'done');
  }

  /** @param outcome of one that is not over by itself */
  #finish(id: number, outcome: 'done' | 'cut' | 'unreadable'): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.#streams.delete(id);
    const { exchange } = stream;
    // An answer that does not wait for the rest of its request is whole.
    exchange.outcome = outcome === 'cut' && stream.answered ? 'done' : outcome;
    exchange.end = this.#recorder.age(exchange);
    this.#options.onDone?.(exchange, exchange.end);
    this.#recorder.changed(exchange);
  }

  #trailers({ exchange }: Stream, fields: readonly HeaderField[], fromVisitor: boolean): void {
    const made = this.#recorder.message(exchange, {
      kind: 'trailers',
      fromVisitor,
      opcode: 0,
      final: true,
      deflated: false,
    });
    if (made === undefined) return;
    const text = Buffer.from(linesOf(fields).join('\r\n'), 'latin1');
    this.#recorder.keepOfMessage(made, text, 0, text.length);
    this.#recorder.messageDone(made);
  }

  #keepHead(exchange: Exchange, capture: Capture, line: string, fields: readonly HeaderField[]): void {
    const head = Buffer.from(`${[plain(line), ...linesOf(fields)].join('\r\n')}\r\n\r\n`, 'latin1');
    this.#recorder.keep(exchange, capture, head, 0, head.length);
  }
}

function linesOf(fields: readonly HeaderField[]): readonly string[] {
  return fields.flatMap(([name, value]) => (name.startsWith(':') ? [] : [plain(`${name}: ${value}`)]));
}

/** No field can make itself a line of its own. */
function plain(text: string): string {
  return text.replaceAll(/[\r\n\0]/g, ' ');
}
