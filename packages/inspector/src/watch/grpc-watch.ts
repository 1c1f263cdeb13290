import type { HeaderField } from '@postern/protocol';
import type { Exchange, Message } from '../record/exchange.ts';
import type { Recorder } from '../record/recorder.ts';

/** Whether it is compressed, and how long it is. */
const PREFIX_BYTES = 5;

/** One direction of a call of gRPC: messages, each behind a prefix that tells its length. */
export class GrpcWatch {
  readonly #recorder: Recorder;
  readonly #exchange: Exchange;
  readonly #fromVisitor: boolean;
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  #prefixBytes = 0;
  #message: Message | undefined = undefined;
  #left = 0;

  constructor(recorder: Recorder, exchange: Exchange, fromVisitor: boolean) {
    this.#recorder = recorder;
    this.#exchange = exchange;
    this.#fromVisitor = fromVisitor;
  }

  static reads(fields: readonly HeaderField[]): boolean {
    const type = fields.find(([name]) => name === 'content-type')?.[1] ?? '';
    return /^application\/grpc(?:$|[+;])/.test(type);
  }

  push(chunk: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#prefixBytes < PREFIX_BYTES) {
        this.#prefix[this.#prefixBytes++] = chunk[at++] ?? 0;
        if (this.#prefixBytes === PREFIX_BYTES) this.#begin();
        continue;
      }
      const stop = Math.min(end, at + this.#left);
      if (this.#message !== undefined) this.#recorder.keepOfMessage(this.#message, chunk, at, stop);
      this.#left -= stop - at;
      at = stop;
      if (this.#left === 0) this.#finish();
    }
  }

  #begin(): void {
    this.#left = this.#prefix.readUInt32BE(1);
    this.#message = this.#recorder.message(this.#exchange, {
      kind: 'grpc',
      fromVisitor: this.#fromVisitor,
      opcode: this.#prefix[0] ?? 0,
      final: true,
      deflated: false,
    });
    if (this.#left === 0) this.#finish();
  }

  #finish(): void {
    const message = this.#message;
    this.#message = undefined;
    this.#prefixBytes = 0;
    if (message !== undefined) this.#recorder.messageDone(message);
  }
}
