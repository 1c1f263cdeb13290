/** The HTTP/1 parsers: what is accepted is written again and has to be read the same, however it is cut. */
import {
  CHUNK_END,
  chunkHeader,
  createRequestParser,
  createResponseParser,
  encodeRequestHead,
  encodeResponseHead,
  encodeTrailers,
  endToEndFields,
  type Framing,
  type Http1Parser,
  type Http1Sink,
  type RawFields,
  type RequestHead,
  type ResponseHead,
} from '@postern/protocol';
import type { Dice } from '@postern/edge/testing/dice';
import { REQUESTS, RESPONSES } from './http1-material.ts';
import { cut, mutatedOf, showChunks } from './mutate.ts';
import { plainHead } from './plain-head.ts';
import { type FuzzTarget, fuzzTarget, must, mustEqual } from './target.ts';

interface Message<H> {
  readonly head: H;
  body: Buffer;
  trailers: RawFields;
  ended: boolean;
}

interface Reading<H> {
  readonly messages: Message<H>[];
  readonly failed: boolean;
}

interface Framed {
  readonly fields: RawFields;
  readonly framing: Framing;
}

/** Holds a parser to the order of its calls. */
class Reader<H extends Framed> implements Http1Sink<H> {
  readonly messages: Message<H>[] = [];
  events = 0;
  #open: Message<H> | null = null;
  readonly #bodiless: (head: H) => boolean;

  /** @param bodiless says of a head that neither body nor end follows it */
  constructor(bodiless: (head: H) => boolean) {
    this.#bodiless = bodiless;
  }

  onHead(head: H): void {
    this.events++;
    must(this.#open === null, 'a head within a message');
    const message = { head: plainHead(head), body: Buffer.alloc(0), trailers: [], ended: false };
    this.messages.push(message);
    if (!this.#bodiless(head)) this.#open = message;
    checkFields(head);
  }

  onBody(chunk: Buffer, start: number, end: number): void {
    this.events++;
    must(end > start && start >= 0 && end <= chunk.length, 'a body slice that is empty or out of range');
    must(this.#open?.head.framing.kind !== 'none', 'a body of a message without one');
    const open = this.#opened();
    open.body = Buffer.concat([open.body, chunk.subarray(start, end)]);
  }

  onTrailers(fields: RawFields): void {
    this.events++;
    const open = this.#opened();
    must(open.head.framing.kind === 'chunked' && open.trailers.length === 0, 'trailers at the wrong place');
    open.trailers = fields;
  }

  onEnd(): void {
    this.events++;
    const open = this.#opened();
    const { framing } = open.head;
    if (framing.kind === 'length') must(open.body.length === framing.length, 'a body of another length than declared');
    open.ended = true;
    this.#open = null;
  }

  #opened(): Message<H> {
    must(this.#open !== null, 'a body, trailer or end outside of a message');
    return this.#open as Message<H>;
  }
}

/** Framing that nobody can read in another way. */
function checkFields(head: Framed): void {
  const { fields, framing } = head;
  let lengths = 0;
  let codings = 0;
  must(fields.length % 2 === 0, 'a field without value');
  for (let index = 0; index < fields.length; index += 2) {
    const name = (fields[index] ?? '').toLowerCase().replaceAll('_', '-');
    const value = fields[index + 1] ?? '';
    if (name === 'content-length') {
      lengths++;
      must(/^(0|[1-9][0-9]*)$/.test(value), 'an accepted Content-Length that is not a plain number');
      if (framing.kind === 'length') must(Number(value) === framing.length, 'a framing other than Content-Length');
    }
    if (name === 'transfer-encoding') {
      codings++;
      must(value.toLowerCase() === 'chunked', 'an accepted Transfer-Encoding other than chunked');
    }
  }
  must(lengths + codings <= 1, 'more than one field that frames the message');
  if (framing.kind === 'chunked') must(codings === 1, 'chunked without Transfer-Encoding');
  const kept = endToEndFields(fields).filter((text, index) => index % 2 === 0 && text.length === 14);
  must(kept.filter((name) => name.toLowerCase() === 'content-length').length === lengths, 'a Content-Length was lost');
}

function feed<H extends Framed>(
  parser: Http1Parser,
  reader: Reader<H>,
  chunks: readonly Buffer[],
  fin: boolean,
): Reading<H> {
  for (const chunk of chunks) {
    let offset = 0;
    let steps = 0;
    while (offset < chunk.length && parser.failure === null) {
      const events = reader.events;
      const next = parser.execute(chunk, offset, chunk.length);
      must(next >= offset && next <= chunk.length, 'an offset out of range');
      if (next === offset && reader.events === events) {
        // Only a parser that is over may refuse bytes.
        must(parser.failure !== null || ('switched' in parser && parser.switched === true), 'no progress');
        break;
      }
      offset = next;
      must(++steps <= 2 * chunk.length + 2, 'more steps than bytes');
    }
    if (offset < chunk.length) break;
  }
  const { events } = reader;
  if (parser.failure !== null) {
    must(parser.execute(Buffer.from('GET'), 0, 3) === 0, 'bytes taken after a failure');
    must(reader.events === events, 'events after a failure');
  }
  if (fin) parser.finish();
  return { messages: reader.messages, failed: parser.failure !== null };
}

/** What a reading says, bodies of unfinished messages aside: how much of one is seen before a failure is free. */
function gist<H>(reading: Reading<H>): unknown {
  const messages = reading.messages.map(({ head, body, trailers, ended }) =>
    ended ? { head, body: body.toString('latin1'), trailers } : { head },
  );
  return { messages, failed: reading.failed };
}

function bodyBytes({ body, trailers, head }: Message<{ readonly framing: Framing }>): Buffer {
  if (head.framing.kind !== 'chunked') return body;
  const chunk = body.length === 0 ? [] : [Buffer.from(chunkHeader(body.length)), body, CHUNK_END];
  return Buffer.concat([...chunk, encodeTrailers(trailers)]);
}

interface RequestCase {
  readonly chunks: readonly Buffer[];
  readonly fin: boolean;
}

function readRequests(chunks: readonly Buffer[], fin: boolean): Reading<RequestHead> {
  const reader = new Reader<RequestHead>(() => false);
  return feed(createRequestParser(reader), reader, chunks, fin);
}

export const requestTarget: FuzzTarget = fuzzTarget<RequestCase>(
  'http1-request',
  (dice) => ({ chunks: cut(mutatedOf(REQUESTS, dice), dice), fin: dice.once(2) }),
  ({ chunks, fin }) => {
    const reading = readRequests(chunks, fin);
    mustEqual(gist(readRequests([Buffer.concat(chunks)], fin)), gist(reading), 'another reading when cut');
    const ended = reading.messages.filter((message) => message.ended);
    const again = Buffer.concat(ended.flatMap((message) => [headBytes(message.head), bodyBytes(message)]));
    mustEqual(
      gist(readRequests([again], true)),
      gist({ messages: ended, failed: false }),
      'another reading when sent on',
    );
    for (const { head, ended: whole } of reading.messages) {
      if (whole) continue;
      const { messages } = readRequests([headBytes(head)], false);
      mustEqual(messages[0]?.head, head, 'another head when sent on');
    }
  },
  ({ chunks, fin }) => `${showChunks(chunks)}${fin ? ' FIN' : ''}`,
);

function headBytes(head: RequestHead): Buffer {
  return encodeRequestHead(head.method, head.target, head.fields, head.minor);
}

interface Asked {
  readonly method: string;
  readonly upgrade: boolean;
}

interface ResponseCase extends RequestCase {
  readonly asked: readonly Asked[];
}

function readResponses(chunks: readonly Buffer[], fin: boolean, asked: readonly Asked[]): Reading<ResponseHead> {
  let due = 0;
  const reader = new Reader<ResponseHead>((head) => {
    if (head.status < 200) return true;
    const method = asked[due++]?.method;
    return method === 'CONNECT' && head.status < 300;
  });
  const parser = createResponseParser(reader);
  for (const { method, upgrade } of asked) parser.expect(method, upgrade);
  const reading = feed(parser, reader, chunks, fin);
  must(due <= asked.length, 'a response that nobody asked for');
  return reading;
}

export const responseTarget: FuzzTarget = fuzzTarget<ResponseCase>(
  'http1-response',
  (dice) => ({
    chunks: cut(mutatedOf(RESPONSES, dice), dice),
    fin: dice.once(2),
    asked: Array.from({ length: dice.once(8) ? 0 : 1 + dice.below(3) }, () => question(dice)),
  }),
  ({ chunks, fin, asked: list }) => {
    const reading = readResponses(chunks, fin, list);
    mustEqual(gist(readResponses([Buffer.concat(chunks)], fin, list)), gist(reading), 'another reading when cut');
    let due = 0;
    for (const message of reading.messages) {
      const { head } = message;
      const one = list[due];
      if (head.status >= 200) due++;
      const bytes = encodeResponseHead(head.status, head.reason, head.fields, head.minor);
      const whole = message.ended && head.status >= 200;
      const sent = whole ? Buffer.concat([bytes, bodyBytes(message)]) : bytes;
      const again = readResponses([sent], whole, one === undefined ? [] : [one]);
      must(again.messages.length === 1, 'another number of heads when sent on');
      mustEqual(again.messages[0]?.head, head, 'another head when sent on');
      if (!whole) continue;
      must(!again.failed, 'a failure when sent on');
      must(again.messages[0]?.body.equals(message.body) ?? false, 'another body when sent on');
      mustEqual(again.messages[0]?.trailers, message.trailers, 'other trailers when sent on');
    }
  },
  ({ chunks, fin, asked: list }) => `${JSON.stringify(list)} ${showChunks(chunks)}${fin ? ' FIN' : ''}`,
);

function question(dice: Dice): Asked {
  return { method: dice.pick(['GET', 'GET', 'POST', 'HEAD', 'CONNECT', 'OPTIONS']), upgrade: dice.once(4) };
}
