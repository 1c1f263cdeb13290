/**
 * The body of a request that a policy wants to see: held up to a limit, and given to every service that the request is
 * sent to, as if it came just then. What is beyond the limit stays with the visitor until there is one.
 */
import type { BodyProblem, BodySink } from '@postern/policy';
import type { TimerHandle, TimerWheel } from '../../context.ts';
import type { BodyOwner, BodyRoom } from './body-room.ts';
import { Pieces } from './pieces.ts';
import type { BodySource } from './ports.ts';

const EMPTY = Buffer.alloc(0);

/** Whether a body that is larger than the limit is none, or its beginning. */
export type HowMuch = 'all' | 'start';

interface Reader {
  readonly limit: number;
  readonly howMuch: HowMuch;
  readonly done: (result: Buffer | BodyProblem) => void;
}

export class HeldBody {
  readonly #source: BodySource;
  readonly #room: BodyRoom;
  readonly #owner: BodyOwner;
  readonly #deadline: TimerHandle;
  readonly #pieces = new Pieces();
  /** Bytes of memory that stand against the room. */
  #taken = 0;
  #readers: Reader[] = [];
  #problem: BodyProblem | null = null;
  #given = 0;
  #complete = false;

  /** @param deadlineMs for all of it: who takes longer would hold memory for nothing */
  constructor(source: BodySource, room: BodyRoom, owner: BodyOwner, wheel: TimerWheel, deadlineMs: number) {
    this.#source = source;
    this.#room = room;
    this.#owner = owner;
    this.#deadline = wheel.schedule(deadlineMs, () => this.#fail('too-slow'));
  }

  /** Whether bytes of the body may come now, before any service takes them. */
  get wanted(): boolean {
    return this.#readers.length > 0;
  }

  /**
   * @param limit bytes
   * @returns memory that the service's bytes share: it is to be read only
   */
  read(limit: number, howMuch: HowMuch): Promise<Buffer | BodyProblem> {
    if (this.#problem !== null) return Promise.resolve(this.#problem);
    if (this.#pieces.bytes > limit) {
      return Promise.resolve(howMuch === 'start' ? this.#all().subarray(0, limit) : 'too-large');
    }
    if (this.#complete) return Promise.resolve(this.#all());
    return new Promise((resolve) => {
      this.#readers.push({ limit, howMuch, done: resolve });
      this.#source.resume();
    });
  }

  /** Memory for what is made of it, given back with it. @returns whether there is as much */
  reserve(bytes: number): boolean {
    if (this.#problem !== null || !this.#room.take(this.#owner, bytes)) return false;
    this.#taken += bytes;
    return true;
  }

  /** In place of all of it, once all of it is here; its memory has been reserved. */
  replace(body: Buffer): void {
    this.#pieces.take();
    if (body.length > 0) this.#pieces.put(body);
  }

  // From the visitor.

  /** Bytes for which there is no service yet, or which come behind others that it has not taken. */
  keep(chunk: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length === 0 || this.#problem === 'gone') return;
    this.#pieces.add(chunk, start, end);
    if (this.#readers.length === 0) return this.#source.pause();
    if (!this.#room.take(this.#owner, length)) return this.#fail('no-room');
    this.#taken += length;
    const { bytes } = this.#pieces;
    this.#settle(({ limit, howMuch }) => howMuch === 'all' && limit < bytes, 'too-large');
    if (this.#readers.some(({ limit }) => limit < bytes)) this.#settleStarts();
    if (this.#readers.length === 0) this.#source.pause();
  }

  ended(): void {
    this.#complete = true;
    this.#deadline.cancel();
    this.#settle(() => true, this.#readers.length > 0 ? this.#all() : EMPTY);
  }

  // To the service.

  /** From the first byte, to another one than before. */
  rewind(): void {
    this.#given = 0;
  }

  /** @returns whether all that is held has been given; if not, it goes on when who takes it says so */
  give(to: BodySink): boolean {
    while (this.#given < this.#pieces.parts.length) {
      const part = this.#pieces.parts[this.#given++];
      if (part !== undefined && !to.body(part, 0, part.length)) return false;
    }
    return true;
  }

  /** Nobody needs it any more. */
  release(): void {
    this.#fail('gone');
    this.#room.give(this.#owner, this.#taken);
    this.#taken = 0;
    this.#pieces.take();
  }

  #all(): Buffer {
    const { parts } = this.#pieces;
    return parts.length === 1 ? (parts[0] ?? EMPTY) : Buffer.concat(parts);
  }

  #fail(problem: BodyProblem): void {
    this.#deadline.cancel();
    this.#problem ??= problem;
    if (this.#readers.length === 0) return;
    this.#source.pause();
    this.#settle(() => true, problem);
  }

  /** Whoever wants no more than has come. */
  #settleStarts(): void {
    const all = this.#all();
    const settled = this.#readers.filter(({ limit }) => limit < all.length);
    this.#readers = this.#readers.filter((reader) => !settled.includes(reader));
    for (const { done, limit } of settled) done(all.subarray(0, limit));
  }

  #settle(which: (reader: Reader) => boolean, result: Buffer | BodyProblem): void {
    const settled = this.#readers.filter(which);
    this.#readers = this.#readers.filter((reader) => !which(reader));
    for (const { done } of settled) done(result);
  }
}
