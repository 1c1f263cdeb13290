import { MessageParser, type AfterHead } from './message-parser.ts';
import { type NameTable, NO_NAMES } from './name-table.ts';
import { Refusal } from './refusal.ts';
import { readResponseHead } from './response-head.ts';
import type { Http1Limits, Http1ResponseParser, Http1Sink, ResponseHead } from './types.ts';

/** Interim responses before one final: progress reports for half an hour fit, a flood does not. */
const MAX_INTERIM = 1_000;
const LETTER_H = 72;

interface Expected {
  readonly method: string;
  readonly upgrade: boolean;
}

class ResponseParser extends MessageParser<ResponseHead> implements Http1ResponseParser {
  switched = false;
  /** The response that is due, and those behind it. */
  private due: Expected | null = null;
  private readonly later: Expected[] = [];
  private interim = 0;
  private readonly names: NameTable;

  constructor(sink: Http1Sink<ResponseHead>, limits: Partial<Http1Limits>, names: NameTable) {
    super(sink, limits);
    this.names = names;
  }

  expect(method: string, upgrade = false): void {
    const expected = { method, upgrade };
    if (this.due === null) this.due = expected;
    else this.later.push(expected);
  }

  protected override readHead(text: string): ResponseHead {
    return readResponseHead(text, this.limits.fieldCount, this.due?.method ?? '', this.names);
  }

  protected override afterHead(head: ResponseHead): AfterHead {
    const expected = this.due;
    const { status } = head;
    if (status === 101) {
      if (expected?.upgrade !== true) throw new Refusal(502, 'the status 101 without a request to upgrade');
      this.switched = true;
      return 'switch';
    }
    if (status < 200) {
      if (++this.interim > MAX_INTERIM) throw new Refusal(502, `more than ${MAX_INTERIM} interim responses`);
      return 'another-head';
    }
    this.interim = 0;
    this.due = this.later.length === 0 ? null : (this.later.shift() ?? null);
    if (expected?.method === 'CONNECT' && status < 300) {
      this.switched = true;
      return 'switch';
    }
    return head.framing.kind;
  }

  protected override opens(byte: number): boolean {
    if (this.due === null) throw new Refusal(502, 'bytes after the last response');
    if (byte !== LETTER_H) throw new Refusal(502, 'a first byte that begins no status line');
    return true;
  }

  protected override failureStatus(status: number): number {
    return status === 431 || status === 414 ? 431 : 502;
  }

  protected override cutReason(): string | null {
    const cut = super.cutReason();
    if (cut !== null || this.due === null) return cut;
    return 'the connection ended before a response';
  }
}

/** Parses what a server sends; see Http1ResponseParser. @param names what heads are looked through for */
export function createResponseParser(
  sink: Http1Sink<ResponseHead>,
  limits: Partial<Http1Limits> = {},
  names: NameTable = NO_NAMES,
): Http1ResponseParser {
  return new ResponseParser(sink, limits, names);
}
