/**
 * HTTP/1 as the rest of Postern sees it: a strict, incremental parser for both roles (RFC 9112) that turns bytes into
 * heads, body slices and ends, and writers that turn them back. Sans I/O.
 */

/** How the body of a message is delimited (RFC 9112 §6). */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  /** Responses only: until the connection ends. */
  | { readonly kind: 'close' };

/** Header fields in wire order: name, value, name, value, … Names keep their case; values are latin1 strings, trimmed. */
export type RawFields = string[];

/** The field lines of a head as they came, for a proxy that passes them on as they are. */
export interface FieldLines {
  /** Made when it is first asked for. */
  readonly fields: RawFields;
  /** Value of the Host field; null = there is none. */
  readonly host: string | null;
  /** Value of the Keep-Alive field, '' = there is none. */
  readonly keepAlive: string;
  /**
   * {@link passing} is what may pass: each line is `name: value`, no field has a name that is special here (NamesToSee),
   * and the Connection field nominates none.
   */
  readonly plain: boolean;
  /** A field may have one of the names that are noted here (NamesToSee). */
  readonly noted: boolean;
  /** All of the head as it came, start line and empty line included; null when a line of it may not pass. */
  readonly whole: string | null;
  /** The lines, each with its CRLF, without those that concern one hop (RFC 9110 §7.6.1). */
  passing(): string;
}

interface Head {
  /** 0 or 1: HTTP/1.x. */
  readonly minor: 0 | 1;
  readonly fields: RawFields;
  /** The same as they came; absent for heads that came over HTTP/2. */
  readonly lines?: FieldLines;
  readonly framing: Framing;
  /** The connection may carry another message after this one, by version and Connection header. */
  readonly keepAlive: boolean;
  /** Lower-case token of the Upgrade header when `Connection: upgrade` asks for it, else ''. */
  readonly upgrade: string;
}

export interface RequestHead extends Head {
  readonly method: string;
  /** Request target as sent: origin form, `*` or (absolute form) a whole URL. */
  readonly target: string;
  /** Lower-case host[:port] that the request is for: of the target when absolute, else of Host; '' if HTTP/1.0 has none. */
  readonly authority: string;
  /** `Expect: 100-continue` was sent. */
  readonly expectContinue: boolean;
}

export interface ResponseHead extends Head {
  readonly status: number;
  readonly reason: string;
}

/** Why a message was refused; `status` is what a server answers before it closes. */
export interface Http1Failure {
  /** Requests: 400, 405 (CONNECT), 414, 431, 501, 505. Responses: 431 (head too large), 502 (anything else). */
  readonly status: number;
  /** One clause, for the log and the page: "two Content-Length fields that differ". */
  readonly reason: string;
}

export interface Http1Limits {
  /** Bytes of start line and fields together; default 262,144. */
  readonly headBytes: number;
  /** Number of fields; default 1,000. */
  readonly fieldCount: number;
}

/** Receives what a parser finds, synchronously, in order: head, body…, trailers?, end. */
export interface Http1Sink<H> {
  /**
   * A whole head. 1xx responses (other than 101) come as heads of their own, each followed by no body and no end.
   */
  onHead(head: H): void;
  /** Body bytes `chunk[start..end)`, chunk framing removed; valid only during the call. */
  onBody(chunk: Buffer, start: number, end: number): void;
  /** The trailer section of a chunked body, when it is not empty. */
  onTrailers(fields: RawFields): void;
  /** The message is complete; the parser is ready for the next. */
  onEnd(): void;
}

/**
 * One direction of one connection.
 * After a failure the parser stays failed; the connection has to be closed.
 */
export interface Http1Parser {
  /** Set once the message stream cannot go on. */
  readonly failure: Http1Failure | null;
  /** True between messages: nothing of the next message has arrived. */
  readonly idle: boolean;
  /** True from the first byte of a head until `onHead`. */
  readonly inHead: boolean;
  /**
   * Parses `chunk[start..end)`.
   * @returns the offset where it stopped: `end`, or sooner when a message has ended (a pipelined one may follow),
   *   when `pause` was called from a callback, after a switch of protocols, or at a failure.
   */
  execute(chunk: Buffer, start: number, end: number): number;
  /** The peer sent FIN. Completes a `close`-framed body; anything else unfinished becomes a failure. */
  finish(): void;
  /**
   * Makes `execute` return after the current callback; the next `execute` goes on. An end that needs no more bytes is
   * not held back: `onEnd` follows the last byte of a body of known length (or the head of a message without body) in
   * the same call, so that nobody waits for a chunk that does not come.
   */
  pause(): void;
}

/** The client's side: responses come in the order of `expect`. */
export interface Http1ResponseParser extends Http1Parser {
  /**
   * Announces one response, before its bytes arrive: its framing depends on the method of the request. Bytes without
   * an announced response are a failure, and so is the end of the stream while one is announced (`idle` tells whether
   * anything of it had come).
   * @param upgrade the request asked for an upgrade, so that 101 may come; default false
   */
  expect(method: string, upgrade?: boolean): void;
  /**
   * True after 101 (or 2xx to CONNECT): `onHead` was called, no `onEnd` follows, `execute` takes nothing any more, and
   * the bytes from the offset that it returned belong to the other protocol.
   */
  readonly switched: boolean;
}
