/**
 * Collects the body of an answer that a policy wants to see, decoded, up to a limit. What counts is what comes out of the
 * decoders: they are fed piece by piece and destroyed at the limit, so that a small body which unpacks to a large one
 * costs no more than the limit.
 */
import type { Transform } from 'node:stream';
import { CODINGS } from '@postern/policy';
import { Pieces } from '../exchange/pieces.ts';

export interface DecodedBodyOwner {
  collected(body: Buffer): void;
  tooLarge(): void;
  /** It is not what its Content-Encoding says. */
  undecodable(): void;
  /** Takes more, after `write` answered false. */
  wantsMore(): void;
}

export class DecodedBody {
  readonly #limit: number;
  readonly #owner: DecodedBodyOwner;
  readonly #codings: readonly string[];
  /** Made with the first byte: an answer without a body is no broken archive. */
  #decoders: Transform[] = [];
  readonly #pieces = new Pieces();
  #over = false;

  /** @param codings as they were applied */
  constructor(codings: readonly string[], limit: number, owner: DecodedBodyOwner) {
    this.#codings = codings;
    this.#limit = limit;
    this.#owner = owner;
  }

  /** Copies. @returns false when the source should wait for `wantsMore` */
  write(chunk: Buffer, start: number, end: number): boolean {
    if (this.#over || start === end) return true;
    if (this.#codings.length === 0) {
      this.#collect(chunk, start, end);
      return true;
    }
    if (this.#decoders.length === 0) this.#makeDecoders();
    return this.#decoders[0]?.write(Buffer.from(chunk.subarray(start, end))) ?? true;
  }

  end(): void {
    if (this.#over) return;
    const [first] = this.#decoders;
    if (first === undefined) this.#done();
    else first.end();
  }

  destroy(): void {
    this.#over = true;
    this.#pieces.take();
    for (const decoder of this.#decoders) decoder.destroy();
  }

  #makeDecoders(): void {
    for (const coding of this.#codings.toReversed()) {
      const decoder = CODINGS[coding]?.();
      if (decoder === undefined) continue;
      decoder.on('error', () => this.#end(() => this.#owner.undecodable()));
      this.#decoders.at(-1)?.pipe(decoder);
      this.#decoders.push(decoder);
    }
    const last = this.#decoders.at(-1);
    last?.on('data', (part: Buffer) => this.#collect(part, 0, part.length));
    last?.on('end', () => this.#done());
    this.#decoders[0]?.on('drain', () => {
      if (!this.#over) this.#owner.wantsMore();
    });
  }

  #collect(part: Buffer, start: number, end: number): void {
    if (this.#over) return;
    if (this.#pieces.bytes + end - start > this.#limit) this.#end(() => this.#owner.tooLarge());
    else this.#pieces.add(part, start, end);
  }

  #done(): void {
    const body = Buffer.concat(this.#pieces.parts);
    this.#end(() => this.#owner.collected(body));
  }

  #end(tell: () => void): void {
    if (this.#over) return;
    this.destroy();
    tell();
  }
}
