import type { ResponseHead } from '@postern/protocol';
import type { Exchange, Message } from '../record/exchange.ts';
import type { Recorder } from '../record/recorder.ts';

const CR = 13;
const LF = 10;

/**
 * Cuts the body of an event stream (HTML, Server-sent events) into its events: each ends with an empty line, and line
 * ends are CRLF, LF or CR.
 */
export class EventWatch {
  readonly #recorder: Recorder;
  readonly #exchange: Exchange;
  #event: Message | undefined = undefined;
  /** No byte of this line has come. */
  #emptyLine = true;
  #afterCr = false;

  constructor(recorder: Recorder, exchange: Exchange) {
    this.#recorder = recorder;
    this.#exchange = exchange;
  }

  /** Events that are compressed are seen as a body only. */
  static reads(head: Pick<ResponseHead, 'fields'>): boolean {
    let stream = false;
    for (let at = 0; at < head.fields.length; at += 2) {
      const name = head.fields[at] ?? '';
      if (name.length === 16 && name.toLowerCase() === 'content-encoding') return false;
      if (name.length === 12 && name.toLowerCase() === 'content-type')
        stream = (head.fields[at + 1] ?? '').toLowerCase().startsWith('text/event-stream');
    }
    return stream;
  }

  push(chunk: Buffer, start: number, end: number): void {
    let from = start;
    for (let at = start; at < end; at++) {
      const byte = chunk[at];
      if (byte === LF && this.#afterCr) {
        this.#afterCr = false;
        // The second half of a line end that has been judged.
        if (this.#event === undefined && from === at) from = at + 1;
        continue;
      }
      this.#afterCr = byte === CR;
      if (byte !== CR && byte !== LF) {
        this.#emptyLine = false;
        continue;
      }
      if (!this.#emptyLine) {
        this.#emptyLine = true;
        continue;
      }
      this.#keep(chunk, from, at);
      this.end();
      from = at + 1;
    }
    this.#keep(chunk, from, end);
  }

  /** The stream is over; what has come of an event is shown. */
  end(): void {
    const event = this.#event;
    this.#event = undefined;
    if (event !== undefined) this.#recorder.messageDone(event);
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    if (start >= end) return;
    this.#event ??= this.#recorder.message(this.#exchange, {
      kind: 'event',
      fromVisitor: false,
      opcode: 0,
      final: true,
      deflated: false,
    });
    if (this.#event !== undefined) this.#recorder.keepOfMessage(this.#event, chunk, start, end);
  }
}
