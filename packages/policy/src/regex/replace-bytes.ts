/** Replaces what a pattern matches in bytes, as Go's regexp does (actions/replace.ts), in steps of bounded cost. */
import type { Effort } from './effort.ts';
import type { Engine } from './engine.ts';
import { Search } from './search.ts';
import { characterAt } from './utf8.ts';

/** What stands in place of a match: bytes, and numbers of groups. */
export type ReplacementBytes = readonly (Buffer | number)[];

/** Memory for what is made. */
export interface Room {
  /** Bytes that it may have at most. */
  readonly most: number;
  /** @returns whether there is as much more */
  reserve(bytes: number): boolean;
}

/** `too-much`: a match is too long to be looked into. */
export type Progress = 'done' | 'more' | 'too-large' | 'no-room' | 'too-much';

/** Bytes of a match that are kept of it. */
const LONGEST_FIRST = 65_536;
const NOTHING = Buffer.alloc(0);
const FIRST_SIZE = 256;
/** Copying, in the time of one character of an automaton. */
const COPIED_AT_ONCE = 32;

export class Replacing {
  /** What was matched first, or its beginning; null = nothing was, and the text is as it was. */
  first: Buffer | null = null;
  readonly #bytes: Buffer;
  readonly #search: Search;
  readonly #replacement: ReplacementBytes;
  readonly #room: Room;
  #made: Buffer | null;
  #length = 0;
  #at = 0;
  /** Up to here it is in what is made. */
  #done = 0;

  /** @param scratch memory for what is made, which has been reserved; null = none yet */
  constructor(bytes: Buffer, engine: Engine, replacement: ReplacementBytes, room: Room, scratch: Buffer | null) {
    this.#made = scratch;
    this.#bytes = bytes;
    this.#search = new Search(
      bytes,
      engine,
      replacement.some((part) => typeof part === 'number' && part > 0),
    );
    this.#replacement = replacement;
    this.#room = room;
    this.#search.seek(0);
  }

  /** The text with everything replaced, once it is done. */
  get text(): Buffer {
    if (this.first === null) return this.#bytes;
    return this.#made?.subarray(0, this.#length) ?? NOTHING;
  }

  /** The memory for what is made. */
  get scratch(): Buffer | null {
    return this.#made;
  }

  advance(effort: Effort): Progress {
    const search = this.#search;
    const bytes = this.#bytes;
    while (effort.left > 0) {
      const finding = search.advance(effort);
      if (finding === 'more' || finding === 'too-much') return finding;
      if (finding === 'none') return this.#finish();
      const { start, end } = search;
      // Nothing, directly behind another match, is no match of its own.
      if (end > this.#done || start === 0) {
        this.first ??= Buffer.from(bytes.subarray(start, Math.min(end, start + LONGEST_FIRST)));
        const before = this.#length;
        const problem = this.#copy(bytes, this.#done, start) ?? this.#fill(start, end);
        if (problem !== null) return problem;
        effort.left -= (this.#length - before) / COPIED_AT_ONCE;
        this.#done = end;
      }
      if (end > this.#at) this.#at = end;
      else if (this.#at >= bytes.length) return this.#finish();
      else this.#at += characterAt(bytes, this.#at, bytes.length) & 7;
      search.seek(this.#at);
    }
    return 'more';
  }

  #finish(): Progress {
    if (this.first === null) return 'done';
    const problem = this.#copy(this.#bytes, this.#done, this.#bytes.length);
    this.#done = this.#bytes.length;
    return problem ?? 'done';
  }

  #fill(start: number, end: number): Progress | null {
    const { groups } = this.#search;
    for (const part of this.#replacement) {
      let problem: Progress | null;
      if (typeof part !== 'number') problem = this.#copy(part, 0, part.length);
      else if (part === 0) problem = this.#copy(this.#bytes, start, end);
      else {
        const from = groups?.[2 * part] ?? -1;
        const to = groups?.[2 * part + 1] ?? -1;
        problem = from < 0 || to < 0 ? null : this.#copy(this.#bytes, from, to);
      }
      if (problem !== null) return problem;
    }
    return null;
  }

  #copy(from: Buffer, start: number, end: number): Progress | null {
    const length = this.#length + end - start;
    const held = this.#made?.length ?? 0;
    if (length > held) {
      if (length > this.#room.most) return 'too-large';
      const least = this.#made === null ? Math.max(FIRST_SIZE, this.#bytes.length + FIRST_SIZE) : 2 * held;
      const size = Math.min(this.#room.most, Math.max(least, length));
      if (!this.#room.reserve(size - held)) return 'no-room';
      const larger = Buffer.allocUnsafeSlow(size);
      this.#made?.copy(larger, 0, 0, this.#length);
      this.#made = larger;
    }
    if (this.#made !== null) from.copy(this.#made, this.#length, start, end);
    this.#length = length;
    return null;
  }
}
