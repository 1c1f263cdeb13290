import type { ConnectionWatch, WatchInfo } from '@postern/agent';
import { createRequestParser, createResponseParser, ProxyPreambleParser } from '@postern/protocol';
import type { Http1Parser, Http1ResponseParser, RequestHead, ResponseHead } from '@postern/protocol';
import type { Exchange } from '../record/exchange.ts';
import type { Recorder } from '../record/recorder.ts';
import { EventWatch } from './event-watch.ts';
import { FrameWatch } from './frame-watch.ts';
import type { HttpWatchOptions } from './http-watch-options.ts';
import { Http2Watch } from './http2-watch.ts';
import { isHead, statusAt, wholeRequestEnd, wholeResponseEnd } from './whole-message.ts';

/** Requests that may wait for their answers on one connection; the edge sends one at a time. */
const MOST_WAITING = 64;

/**
 * One connection of an http endpoint, HTTP/1 or (`http2-watch.ts`) HTTP/2: finds out where messages begin and end, and has their bytes kept. What it cannot
 * read is recorded as bytes, and no more is read of that connection.
 */
export class HttpWatch implements ConnectionWatch {
  readonly #options: HttpWatchOptions;
  readonly #recorder: Recorder;
  readonly #clientAddr: string;
  readonly #requests: Http1Parser;
  readonly #responses: Http1ResponseParser;
  #preamble: ProxyPreambleParser | undefined;
  /** The edge speaks HTTP/2 to the service, which its first bytes say. */
  #http2: Http2Watch | undefined = undefined;
  #isFirst = true;
  /** The one whose request is arriving. */
  #asking: Exchange | undefined = undefined;
  #asked = false;
  /** Those whose answer is due, oldest first. */
  readonly #waiting: Exchange[] = [];
  /** Of each of them: how the parser of answers has to be told of it; '' = it has been. */
  readonly #untold: ('GET' | 'HEAD' | '')[] = [];
  #upgrade = '';
  #ended = false;
  /** The answer was whole before its request was. */
  #answeredEarly = false;
  #events: EventWatch | undefined = undefined;
  #frames: { readonly visitor: FrameWatch; readonly service: FrameWatch } | undefined = undefined;
  /** Nothing more can be read: the one that it ended with counts bytes. */
  #lost: Exchange | undefined = undefined;

  constructor(info: WatchInfo, options: HttpWatchOptions) {
    this.#options = options;
    this.#recorder = options.recorder;
    this.#clientAddr = info.clientAddr;
    this.#preamble = info.behindProxyHeader ? new ProxyPreambleParser() : undefined;
    this.#requests = createRequestParser({
      onHead: (head) => this.#requestHead(head),
      onBody: () => {},
      onTrailers: () => {},
      onEnd: () => (this.#asked = true),
    });
    this.#responses = createResponseParser({
      onHead: (head) => this.#responseHead(head),
      onBody: (chunk, start, end) => this.#events?.push(chunk, start, end),
      onTrailers: () => {},
      onEnd: () => (this.#ended = true),
    });
  }

  fromVisitor(chunk: Buffer): void {
    let at = 0;
    if (this.#preamble !== undefined) {
      at = this.#afterPreamble(chunk);
      if (at === chunk.length) return;
    }
    if (this.#lost !== undefined) return this.#keepLost(chunk, at, true);
    if (this.#frames !== undefined) return this.#frames.visitor.push(chunk, at, chunk.length);
    if (this.#http2 !== undefined) return this.#http2.fromVisitor(chunk, at);
    if (this.#isFirst && Http2Watch.reads(chunk, at)) {
      this.#http2 = new Http2Watch(this.#clientAddr, this.#options);
      return this.#http2.fromVisitor(chunk, at);
    }
    this.#isFirst = false;
    while (at < chunk.length) at = this.#readRequest(chunk, at);
  }

  fromService(chunk: Buffer): void {
    if (this.#http2 !== undefined) return this.#http2.fromService(chunk);
    if (this.#lost !== undefined) return this.#keepLost(chunk, 0, false);
    if (this.#frames !== undefined) return this.#frames.service.push(chunk, 0, chunk.length);
    let at = 0;
    while (at < chunk.length) {
      const exchange = this.#waiting[0] ?? this.#asking;
      // Bytes that nobody asked for: the edge ends such a connection.
      if (exchange === undefined) return;
      if (this.#untold[0] === 'GET') {
        const end = wholeResponseEnd(chunk, at);
        if (end > 0) {
          this.#wholeResponse(exchange, chunk, at, end);
          at = end;
          continue;
        }
      }
      this.#tell();
      const stop = this.#responses.execute(chunk, at, chunk.length);
      if (exchange.firstByte < 0) exchange.firstByte = this.#recorder.age(exchange);
      this.#recorder.keep(exchange, exchange.response, chunk, at, stop);
      at = stop;
      if (this.#ended) this.#done(exchange);
      else if (this.#responses.failure !== null) return this.#lose(chunk, at, false);
      else if (this.#responses.switched) return this.#switch(exchange, chunk, at);
    }
  }

  over(): void {
    if (this.#http2 !== undefined) return this.#http2.over();
    if (this.#lost === undefined && this.#frames === undefined) {
      this.#tell();
      this.#responses.finish();
      const [exchange] = this.#waiting;
      if (this.#ended && exchange !== undefined) this.#done(exchange);
    }
    const ending = this.#frames === undefined ? 'cut' : 'done';
    const open = this.#asking === undefined ? this.#waiting : [...this.#waiting, this.#asking];
    for (const exchange of open) {
      const early = exchange === this.#asking && this.#answeredEarly;
      this.#finish(exchange, exchange.outcome === 'open' ? (early ? 'done' : ending) : exchange.outcome);
    }
    this.#waiting.length = 0;
    this.#untold.length = 0;
    this.#asking = undefined;
    this.#lost = undefined;
  }

  #readRequest(chunk: Buffer, start: number): number {
    if (this.#asking === undefined && this.#requests.idle && this.#waiting.length < MOST_WAITING) {
      const end = wholeRequestEnd(chunk, start);
      if (end > 0) {
        this.#wholeRequest(chunk, start, end);
        return end;
      }
    }
    this.#asking ??= this.#recorder.begin(this.#options.tunnel, this.#clientAddr, this.#options.replayOf ?? 0);
    const exchange = this.#asking;
    const stop = this.#requests.execute(chunk, start, chunk.length);
    this.#recorder.keep(exchange, exchange.request, chunk, start, stop);
    if (this.#requests.failure !== null || this.#waiting.length >= MOST_WAITING) {
      this.#lose(chunk, stop, true);
      return chunk.length;
    }
    if (this.#asked) {
      this.#asked = false;
      this.#asking = undefined;
      exchange.requestEnd = this.#recorder.age(exchange);
      if (this.#answeredEarly) this.#finish(exchange, 'done');
      else {
        this.#waiting.push(exchange);
        this.#untold.push('');
        this.#recorder.changed(exchange);
      }
      this.#answeredEarly = false;
    }
    return stop;
  }

  #wholeRequest(chunk: Buffer, start: number, end: number): void {
    const exchange = this.#recorder.begin(this.#options.tunnel, this.#clientAddr, this.#options.replayOf ?? 0);
    this.#recorder.keep(exchange, exchange.request, chunk, start, end);
    exchange.listed = true;
    exchange.requestEnd = 0;
    this.#waiting.push(exchange);
    this.#untold.push(isHead(chunk, start) ? 'HEAD' : 'GET');
    this.#recorder.changed(exchange);
  }

  #wholeResponse(exchange: Exchange, chunk: Buffer, start: number, end: number): void {
    exchange.firstByte = this.#recorder.age(exchange);
    exchange.status = statusAt(chunk, start);
    this.#recorder.keep(exchange, exchange.response, chunk, start, end);
    this.#next();
    this.#finish(exchange, 'done', exchange.firstByte);
  }

  /** The parser of answers learns of all that are due, before it reads of the first, and in their order. */
  #tell(): void {
    for (const [at, method] of this.#untold.entries()) {
      if (method === '') continue;
      this.#untold[at] = '';
      this.#responses.expect(method);
    }
  }

  #next(): void {
    this.#waiting.shift();
    this.#untold.shift();
  }

  #requestHead(head: RequestHead): void {
    const exchange = this.#asking;
    if (exchange === undefined) return;
    exchange.listed = true;
    this.#upgrade = head.upgrade;
    this.#tell();
    this.#responses.expect(head.method, head.upgrade !== '');
    if (head.framing.kind !== 'none') this.#recorder.changed(exchange);
  }

  #responseHead(head: ResponseHead): void {
    if (head.status < 200 && head.status !== 101) return;
    const exchange = this.#waiting[0] ?? this.#asking;
    if (exchange === undefined) return;
    exchange.status = head.status;
    if (EventWatch.reads(head)) this.#events = new EventWatch(this.#recorder, exchange);
    if (head.framing.kind !== 'none') this.#recorder.changed(exchange);
  }

  #done(exchange: Exchange): void {
    this.#ended = false;
    this.#events?.end();
    this.#events = undefined;
    if (exchange === this.#asking) {
      this.#answeredEarly = true;
      return;
    }
    this.#next();
    this.#finish(exchange, 'done');
  }

  #finish(exchange: Exchange, outcome: Exchange['outcome'], age = this.#recorder.age(exchange)): void {
    exchange.outcome = outcome;
    exchange.end = age;
    if (!exchange.listed) return;
    this.#options.onDone?.(exchange, exchange.end);
    this.#recorder.changed(exchange);
  }

  #switch(exchange: Exchange, chunk: Buffer, at: number): void {
    if (this.#upgrade !== 'websocket') {
      exchange.outcome = 'switched';
      this.#lost = exchange;
      return this.#keepLost(chunk, at, false);
    }
    this.#frames = {
      visitor: new FrameWatch(this.#recorder, exchange, true),
      service: new FrameWatch(this.#recorder, exchange, false),
    };
    this.#recorder.changed(exchange);
    this.#frames.service.push(chunk, at, chunk.length);
  }

  /** From here on only bytes are counted, for the exchange that it went wrong in. */
  #lose(chunk: Buffer, at: number, fromVisitor: boolean): void {
    const exchange =
      this.#waiting[0] ?? this.#asking ?? this.#recorder.begin(this.#options.tunnel, this.#clientAddr, 0);
    if (exchange !== this.#waiting[0]) this.#asking = exchange;
    exchange.listed = true;
    exchange.outcome = 'unreadable';
    this.#lost = exchange;
    this.#keepLost(chunk, at, fromVisitor);
    this.#recorder.changed(exchange);
  }

  #keepLost(chunk: Buffer, at: number, fromVisitor: boolean): void {
    const exchange = this.#lost;
    if (exchange === undefined) return;
    this.#recorder.keep(exchange, fromVisitor ? exchange.request : exchange.response, chunk, at, chunk.length);
  }

  #afterPreamble(chunk: Buffer): number {
    const result = this.#preamble?.push(chunk);
    if (result === undefined || result.kind === 'more') return chunk.length;
    this.#preamble = undefined;
    return result.kind === 'done' ? result.used : 0;
  }
}
