/**
 * The part that both roles share: finds heads, counts bodies, takes chunk framing off. One object per direction of a
 * connection; bytes of bodies are handed on where they lie.
 */
import { ChunkLine } from './chunk-line.ts';
import { CR, LF } from './characters.ts';
import { FieldSection } from './fields.ts';
import { DEFAULT_LIMITS, Refusal } from './refusal.ts';
import { Section } from './section.ts';
import { forbiddenTrailer } from './trailers.ts';
import type { Framing, Http1Failure, Http1Limits, Http1Parser, Http1Sink } from './types.ts';

const HEAD = 0;
const BODY = 1;
const BODY_UNTIL_CLOSE = 2;
const CHUNK_LINE = 3;
const CHUNK_DATA = 4;
const CHUNK_CR = 5;
const CHUNK_LF = 6;
const TRAILERS = 7;
const TRAILERS_LF = 8;
/** Failed, or handed over to another protocol. */
const OVER = 9;

/** What is to come after a head. */
export type AfterHead = Framing['kind'] | 'another-head' | 'switch';

export abstract class MessageParser<H extends { readonly framing: Framing }> implements Http1Parser {
  failure: Http1Failure | null = null;
  protected readonly sink: Http1Sink<H>;
  protected readonly limits: Http1Limits;
  /** An interim response has come, and its final one has not. */
  protected begun = false;
  private state = HEAD;
  /** Bytes of the body or chunk that are still to come. */
  private remaining = 0;
  private stopping = false;
  private endedIdle = false;
  private readonly head: Section;
  private readonly chunkLine = new ChunkLine();
  private trailerSection: Section | null = null;

  constructor(sink: Http1Sink<H>, limits: Partial<Http1Limits>) {
    this.sink = sink;
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.head = new Section(this.limits.headBytes, true);
  }

  /** @throws Refusal */
  protected abstract readHead(text: string): H;
  /** Called before `onHead`. */
  protected abstract afterHead(head: H): AfterHead;
  /**
   * A message is about to begin with this byte.
   * @returns false to drop the byte
   * @throws Refusal when it cannot begin one
   */
  protected abstract opens(byte: number): boolean;
  /** The status that `failure` carries for a rule's own status. */
  protected abstract failureStatus(status: number): number;

  get idle(): boolean {
    return this.endedIdle || (this.state === HEAD && !this.head.started && !this.begun);
  }

  get inHead(): boolean {
    return this.state === HEAD && this.head.started;
  }

  pause(): void {
    this.stopping = true;
  }

  execute(chunk: Buffer, start: number, end: number): number {
    this.stopping = false;
    let at = start;
    try {
      while (at < end && !this.stopping && this.state !== OVER) at = this.step(chunk, at, end);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.fail(error.failure);
    }
    return at;
  }

  finish(): void {
    if (this.state === OVER) return;
    if (this.state === BODY_UNTIL_CLOSE) {
      this.state = OVER;
      this.sink.onEnd();
      return;
    }
    this.endedIdle = this.idle;
    const cut = this.cutReason();
    if (cut !== null) this.fail({ status: 400, reason: cut });
    this.state = OVER;
  }

  /** Why the end of the stream at this point is a failure; null = it is none. */
  protected cutReason(): string | null {
    if (this.state !== HEAD) return 'the connection ended within a body';
    return this.head.started ? 'the connection ended within a head' : null;
  }

  private fail(failure: Http1Failure): void {
    this.failure = { status: this.failureStatus(failure.status), reason: failure.reason };
    this.state = OVER;
    this.head.clear();
    this.trailerSection?.clear();
  }

  private step(chunk: Buffer, at: number, end: number): number {
    switch (this.state) {
      case HEAD:
        return this.takeHead(chunk, at, end);
      case BODY:
      case CHUNK_DATA:
        return this.takeBody(chunk, at, end);
      case BODY_UNTIL_CLOSE:
        this.sink.onBody(chunk, at, end);
        return end;
      case CHUNK_LINE:
        return this.takeChunkLine(chunk, at, end);
      case CHUNK_CR:
        expectByte(chunk[at], CR);
        this.state = CHUNK_LF;
        return at + 1;
      case CHUNK_LF:
        expectByte(chunk[at], LF);
        this.chunkLine.next();
        this.state = CHUNK_LINE;
        return at + 1;
      case TRAILERS:
        return this.takeTrailers(chunk, at, end);
      default:
        expectByte(chunk[at], LF);
        this.endMessage();
        return at + 1;
    }
  }

  private takeHead(chunk: Buffer, start: number, end: number): number {
    if (!this.head.started && !this.opens(chunk[start] ?? 0)) return start + 1;
    const at = this.head.find(chunk, start, end);
    if (at === -1) return end;
    const head = this.readHead(this.head.take(chunk, start, at));
    this.begun = false;
    const after = this.afterHead(head);
    this.enter(after, head.framing);
    this.sink.onHead(head);
    if (after === 'none' || (after === 'length' && this.remaining === 0)) this.endMessage();
    return at;
  }

  private enter(after: AfterHead, framing: Framing): void {
    switch (after) {
      case 'length':
        this.state = BODY;
        this.remaining = framing.kind === 'length' ? framing.length : 0;
        break;
      case 'chunked':
        this.state = CHUNK_LINE;
        this.chunkLine.reset();
        break;
      case 'close':
        this.state = BODY_UNTIL_CLOSE;
        break;
      case 'switch':
        this.state = OVER;
        break;
      case 'another-head':
        this.begun = true;
        break;
      default:
    }
  }

  private takeBody(chunk: Buffer, start: number, end: number): number {
    const stop = Math.min(end, start + this.remaining);
    this.remaining -= stop - start;
    const whole = this.remaining === 0;
    const lastOfMessage = whole && this.state === BODY;
    if (whole && !lastOfMessage) this.state = CHUNK_CR;
    this.sink.onBody(chunk, start, stop);
    if (lastOfMessage) this.endMessage();
    return stop;
  }

  private takeChunkLine(chunk: Buffer, start: number, end: number): number {
    const at = this.chunkLine.take(chunk, start, end);
    if (this.chunkLine.done) {
      this.remaining = this.chunkLine.size;
      this.state = this.remaining === 0 ? TRAILERS : CHUNK_DATA;
    }
    return at;
  }

  private takeTrailers(chunk: Buffer, start: number, end: number): number {
    if (this.trailerSection === null) {
      if (chunk[start] === CR) {
        this.state = TRAILERS_LF;
        return start + 1;
      }
      this.trailerSection = new Section(this.limits.headBytes, false);
    }
    const at = this.trailerSection.find(chunk, start, end);
    if (at === -1) return end;
    const text = this.trailerSection.take(chunk, start, at);
    this.trailerSection = null;
    const { fields } = new FieldSection(text, 0, this.limits.fieldCount);
    const forbidden = forbiddenTrailer(fields);
    if (forbidden !== null) throw new Refusal(400, `the field ${forbidden} in a trailer section`);
    this.sink.onTrailers(fields);
    this.endMessage();
    return at;
  }

  private endMessage(): void {
    this.state = HEAD;
    this.stopping = true;
    this.sink.onEnd();
  }
}

function expectByte(byte: number | undefined, expected: number): void {
  if (byte !== expected) throw new Refusal(400, 'a chunk that does not end in CRLF');
}
