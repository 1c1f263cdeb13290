import { MessageParser, type AfterHead } from './message-parser.ts';
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
  private readonly expected: Expected[] = [];
  private interim = 0;

  expect(method: string, upgrade = false): void {
    this.expected.push({ method, upgrade });
  }

  protected override readHead(text: string): ResponseHead {
    return readResponseHead(text, this.section, this.limits.fieldCount, this.expected[0]?.method ?? '');
  }

  protected override afterHead(head: ResponseHead): AfterHead {
    const expected = this.expected[0];
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
    this.expected.shift();
    if (expected?.method === 'CONNECT' && status < 300) {
      this.switched = true;
      return 'switch';
    }
    return head.framing.kind;
  }

  protected override opens(byte: number): boolean {
    if (this.expected.length === 0) throw new Refusal(502, 'bytes after the last response');
    if (byte !== LETTER_H) throw new Refusal(502, 'a first byte that begins no status line');
    return true;
  }

  protected override failureStatus(status: number): number {
    return status === 431 || status === 414 ? 431 : 502;
  }

  protected override cutReason(): string | null {
    const cut = super.cutReason();
    if (cut !== null || this.expected.length === 0) return cut;
    return 'the connection ended before a response';
  }
}

/** Parses what a server sends; see Http1ResponseParser. */
export function createResponseParser(
  sink: Http1Sink<ResponseHead>,
  limits: Partial<Http1Limits> = {},
): Http1ResponseParser {
  return new ResponseParser(sink, limits);
}
