/**
 * Looks for a pattern in bytes, in steps of bounded cost: forward to where the next match ends, back to where it begins,
 * and, where somebody asks for groups, once more along the match (groups.ts). What is found is what RE2 finds.
 */
import { ALL_MARKS, Mark, MARKS } from './automata.ts';
import type { Effort } from './effort.ts';
import type { Engine } from './engine.ts';
import { Groups } from './groups.ts';
import { Beside, classIn, type Program } from './program.ts';
import type { State } from './states.ts';
import { characterAt, characterBefore } from './utf8.ts';

/** Whether there is a match; `more`: the effort was used up before that could be told; `too-much`: it cannot be told. */
export type Finding = 'match' | 'none' | 'more' | 'too-much';

/** Bytes that the search for a literal goes through in the time of one character of an automaton. */
const BYTES_AT_ONCE = 16;
/** A call of it. */
const LITERAL_CALL = 30;
const FOUND = 40;

export class Search {
  /** Of the match. */
  start = 0;
  end = 0;
  readonly #bytes: Buffer;
  readonly #engine: Engine;
  /** null = nobody asks for groups. */
  readonly #groups: Groups | null;
  /** Where it goes on. */
  #at = 0;
  #from = 0;
  #state: State | null = null;
  #phase: 'forward' | 'back' | 'groups' = 'forward';
  /** No match begins before. */
  #idle = 0;
  #last = -1;

  constructor(bytes: Buffer, engine: Engine, withGroups: boolean) {
    this.#bytes = bytes;
    this.#engine = engine;
    this.#groups = withGroups && engine.program.groups > 0 ? new Groups(bytes, engine.backward) : null;
  }

  /** Pairs of places, -1 = the group took no part; null where nobody asks for them. */
  get groups(): Int32Array | null {
    return this.#groups?.slots ?? null;
  }

  /** The next search begins here. */
  seek(from: number): void {
    this.#at = from;
    this.#from = from;
    this.#idle = from;
    this.#last = -1;
    this.#state = null;
    this.#phase = 'forward';
  }

  /** Goes on with the search. */
  advance(effort: Effort): Finding {
    if (this.#engine.program.literal) return this.#literal(effort);
    if (this.#phase === 'forward') {
      const finding = this.#forward(effort);
      if (finding !== 'match') return finding;
      this.#phase = 'back';
      this.#state = null;
      this.#at = this.#last;
      this.end = this.#last;
      this.start = -1;
    }
    if (this.#phase === 'back') {
      const finding = this.#backward(effort);
      if (finding !== 'match') return finding;
      effort.left -= FOUND;
      if (this.#groups === null) return 'match';
      this.#phase = 'groups';
      this.#groups.begin(this.start, this.end);
    }
    return this.#groups?.advance(effort) ?? 'match';
  }

  #literal(effort: Effort): Finding {
    const { prefix } = this.#engine.program;
    const bytes = this.#bytes;
    const start = bytes.indexOf(prefix, this.#at);
    const passed = (start === -1 ? bytes.length : start) - this.#at;
    effort.left -= LITERAL_CALL + passed / BYTES_AT_ONCE;
    if (start === -1) return 'none';
    this.start = start;
    this.end = start + prefix.length;
    return 'match';
  }

  #forward(effort: Effort): Finding {
    const bytes = this.#bytes;
    const { length } = bytes;
    const { forward, program } = this.#engine;
    const { ascii, prefix } = program;
    const { states, passable } = forward;
    let { row } = states.current(this.#state ?? forward.start(this.#besideBefore(this.#at)));
    let { table } = states;
    let at = this.#at;
    let idle = this.#state === null;
    let idleAt = this.#idle;
    let last = this.#last;
    /** Bytes that no automaton has read. */
    let passed = 0;
    const began = at;
    const until = (): number => {
      const left = effort.left - forward.cost + passed * (1 - 1 / BYTES_AT_ONCE);
      return Math.min(length, began + Math.max(1, left));
    };
    forward.cost = 0;
    let stop = until();
    let dead = false;
    while (at < stop) {
      if (idle) {
        const from = at;
        if (prefix.length > 0) {
          const found = bytes.indexOf(prefix, at);
          at = found === -1 ? length : found;
          forward.cost += LITERAL_CALL;
        } else while (at < stop && passable[bytes[at] ?? 0] === 1) at++;
        idleAt = at;
        if (at > from) {
          if (prefix.length > 0) {
            passed += at - from;
            stop = until();
          }
          ({ row } = forward.start(this.#besideBefore(at)));
          ({ table } = states);
        }
        idle = false;
        if (at >= stop) break;
      }
      const byte = bytes[at] ?? 0;
      let cls: number;
      let width = 1;
      if (byte < 0x80) cls = ascii[byte] ?? 0;
      else {
        const character = characterAt(bytes, at, length);
        width = character & 7;
        cls = classIn(program.bounds, character >>> 3);
      }
      let next = table[row + cls] ?? 0;
      if (next === 0) {
        next = forward.make(row, cls);
        table = states.table;
        stop = until();
      }
      const marks = next & ALL_MARKS;
      if (marks !== 0) {
        if ((marks & Mark.here) !== 0) last = at;
        if ((marks & Mark.dead) !== 0) {
          dead = true;
          break;
        }
        if ((marks & Mark.idle) !== 0) {
          idleAt = at + width;
          idle = true;
        }
      }
      row = next >> MARKS;
      at += width;
    }
    if (!dead && at >= length) {
      const atEnd = program.bounds.length + 1;
      const next = table[row + atEnd] ?? 0;
      const marks = next === 0 ? forward.make(row, atEnd) : next;
      if ((marks & Mark.here) !== 0) last = at;
      dead = true;
    }
    this.#at = at;
    this.#idle = idleAt;
    this.#last = last;
    effort.left -= at - began - passed + passed / BYTES_AT_ONCE + forward.cost;
    if (!dead) {
      this.#state = states.at(row);
      return 'more';
    }
    return last === -1 ? 'none' : 'match';
  }

  #backward(effort: Effort): Finding {
    const bytes = this.#bytes;
    const { backward, program } = this.#engine;
    const { ascii } = program;
    const { states } = backward;
    const begin = this.#state ?? backward.start(this.#besideBehind(this.#at));
    let { row } = states.current(begin);
    let { table } = states;
    const floor = Math.max(this.#from, this.#idle);
    let at = this.#at;
    backward.cost = 0;
    const began = at;
    for (;;) {
      // The character before the floor is looked at, and not taken.
      let cls = program.bounds.length + 1;
      let width = 1;
      if (at > 0) {
        const byte = bytes[at - 1] ?? 0;
        if (byte < 0x80) cls = ascii[byte] ?? 0;
        else {
          const character = characterBefore(bytes, at);
          width = character & 7;
          cls = classIn(program.bounds, character >>> 3);
        }
      }
      let next = table[row + cls] ?? 0;
      if (next === 0) {
        next = backward.make(row, cls);
        table = states.table;
      }
      if ((next & Mark.here) !== 0) this.start = at;
      if (at <= floor || (next & Mark.dead) !== 0) break;
      row = next >> MARKS;
      at -= width;
      if (at > floor && began - at + backward.cost >= effort.left) {
        this.#at = at;
        this.#state = states.at(row);
        effort.left -= began - at + backward.cost;
        return 'more';
      }
    }
    effort.left -= began - at + backward.cost;
    if (this.start === -1) throw new Error('a match without a beginning');
    return 'match';
  }

  #besideBefore(at: number): number {
    if (!this.#engine.program.asserts) return Beside.other;
    return at === 0 ? Beside.edge : besideOf(this.#engine.program, characterBefore(this.#bytes, at));
  }

  #besideBehind(at: number): number {
    const { length } = this.#bytes;
    if (!this.#engine.program.asserts) return Beside.other;
    return at === length ? Beside.edge : besideOf(this.#engine.program, characterAt(this.#bytes, at, length));
  }
}

function besideOf({ beside, bounds }: Program, character: number): number {
  return beside[classIn(bounds, character >>> 3)] ?? 0;
}
