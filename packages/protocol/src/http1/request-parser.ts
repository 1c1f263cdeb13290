import { CR, LF, TOKEN } from './characters.ts';
import { MessageParser, type AfterHead } from './message-parser.ts';
import { type NameTable, NO_NAMES } from './name-table.ts';
import { Refusal } from './refusal.ts';
import { RequestHeadReader } from './request-head.ts';
import type { Http1Limits, Http1Parser, Http1Sink, RequestHead } from './types.ts';

const NO_BREAK = 0;
const BREAK_CR = 1;
const BREAK_DONE = 2;

class RequestParser extends MessageParser<RequestHead> {
  private readonly reader: RequestHeadReader;
  /** One empty line before a request line is let pass (RFC 9112 §2.2): some clients end a body with it. */
  private leadingBreak = NO_BREAK;

  constructor(sink: Http1Sink<RequestHead>, limits: Partial<Http1Limits>, names: NameTable) {
    super(sink, limits);
    this.reader = new RequestHeadReader(this.limits.fieldCount, names);
  }

  protected override readHead(text: string): RequestHead {
    return this.reader.read(text);
  }

  protected override afterHead(head: RequestHead): AfterHead {
    return head.framing.kind;
  }

  protected override opens(byte: number): boolean {
    if (this.leadingBreak === NO_BREAK && byte === CR) {
      this.leadingBreak = BREAK_CR;
      return false;
    }
    if (this.leadingBreak === BREAK_CR) {
      if (byte !== LF) throw new Refusal(400, 'a carriage return without line feed before the request line');
      this.leadingBreak = BREAK_DONE;
      return false;
    }
    if (TOKEN[byte] !== 1) throw new Refusal(400, 'a first byte that begins no request line');
    this.leadingBreak = NO_BREAK;
    return true;
  }

  protected override failureStatus(status: number): number {
    return status === 502 ? 400 : status;
  }
}

/**
 * Parses what a client sends. A request with `upgrade` ends as any other; what follows it is the caller's to judge.
 * @param names what heads are looked through for
 */
export function createRequestParser(
  sink: Http1Sink<RequestHead>,
  limits: Partial<Http1Limits> = {},
  names: NameTable = NO_NAMES,
): Http1Parser {
  return new RequestParser(sink, limits, names);
}
