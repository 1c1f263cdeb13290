/**
 * Which parts of a match its groups took: back from its end once, keeping from which instructions each place can still
 * reach it, then forward by the way of most precedence that does.
 */
import { assertionsAt, Beside, classIn, Op, takesCharacter, type Program } from './program.ts';
import { MARKS, type Backward } from './automata.ts';
import type { Effort } from './effort.ts';
import type { State } from './states.ts';
import { characterAt, characterBefore } from './utf8.ts';

/** A character twice, and the instructions between two of them. */
const A_CHARACTER = 20;
/** Characters of a match whose groups are asked for: what is kept of the way back is 8 bytes each. */
const MOST_CHARACTERS = 1_048_576;
/** How often the states may be forgotten on the way back: those that it has passed are kept. */
const MOST_GENERATIONS = 8;

export type Walked = 'match' | 'more' | 'too-much';

/** Of one text; its matches come one behind the other. */
export class Groups {
  /** Pairs of places, -1 = the group took no part. */
  readonly slots: Int32Array;
  readonly #bytes: Buffer;
  readonly #backward: Backward;
  readonly #walk: Walk;
  #start = 0;
  #end = 0;
  #at = 0;
  /** The states from the end on, one for each place between characters. */
  readonly #ways: State[] = [];
  #generation = 0;
  #forward = false;
  #pc = 0;
  #before = 0;

  constructor(bytes: Buffer, backward: Backward) {
    this.#bytes = bytes;
    this.#backward = backward;
    this.slots = new Int32Array(2 * (backward.program.groups + 1));
    this.#walk = new Walk(backward.program, this.slots);
  }

  begin(start: number, end: number): void {
    this.#start = start;
    this.#end = end;
    this.#at = end;
    this.#forward = false;
    this.#generation = this.#backward.states.generation;
    this.#ways.length = 0;
    this.#ways.push(this.#backward.start(this.#besideBehind(end)));
    this.slots.fill(-1);
  }

  advance(effort: Effort): Walked {
    if (!this.#forward) {
      const walked = this.#goBack(effort);
      if (walked !== 'match') return walked;
      this.#forward = true;
      this.#pc = this.#backward.program.start;
      this.#at = this.#start;
      this.#before = this.#start === 0 ? Beside.edge : this.#beside(characterBefore(this.#bytes, this.#start));
    }
    if (!this.#goForward(effort)) return 'more';
    this.slots[0] = this.#start;
    this.slots[1] = this.#end;
    return 'match';
  }

  #goBack(effort: Effort): Walked {
    const backward = this.#backward;
    const { states, program } = backward;
    const ways = this.#ways;
    backward.cost = 0;
    let last = ways.at(-1);
    while (last !== undefined && this.#at > this.#start) {
      if (effort.left - backward.cost <= 0) break;
      if (ways.length >= MOST_CHARACTERS || states.generation - this.#generation > MOST_GENERATIONS) return 'too-much';
      const byte = this.#bytes[this.#at - 1] ?? 0;
      const character = byte < 0x80 ? 1 : characterBefore(this.#bytes, this.#at);
      this.#at -= character & 7;
      const { row } = states.current(last);
      const cls = byte < 0x80 ? (program.ascii[byte] ?? 0) : classIn(program.bounds, character >>> 3);
      const next = states.table[row + cls] ?? 0;
      last = states.at((next === 0 ? backward.make(row, cls) : next) >> MARKS);
      ways.push(last);
      effort.left -= A_CHARACTER;
    }
    effort.left -= backward.cost;
    return this.#at > this.#start ? 'more' : 'match';
  }

  /** @returns whether the end has been reached */
  #goForward(effort: Effort): boolean {
    const { program } = this.#backward;
    const bytes = this.#bytes;
    const { asserts } = program;
    for (let way = this.#ways.pop(); way !== undefined; way = this.#ways.pop()) {
      const byte = bytes[this.#at] ?? 0;
      const width = byte < 0x80 ? 1 : characterAt(bytes, this.#at, bytes.length) & 7;
      const behind = asserts ? this.#besideBehind(this.#at) : Beside.other;
      const found = asserts ? assertionsAt(this.#before, behind) : 0;
      const taker = this.#walk.to(this.#pc, way.pcs, found, this.#at);
      if (taker === -1) throw new Error('a match has no way through its pattern');
      this.#pc = program.out[taker] ?? 0;
      this.#before = behind;
      this.#at += width;
      effort.left -= A_CHARACTER;
      if (effort.left <= 0 && this.#ways.length > 0) return false;
    }
    return true;
  }

  #besideBehind(at: number): number {
    const { length } = this.#bytes;
    if (!this.#backward.program.asserts) return Beside.other;
    return at === length ? Beside.edge : this.#beside(characterAt(this.#bytes, at, length));
  }

  #beside(character: number): number {
    const { beside, bounds } = this.#backward.program;
    return beside[classIn(bounds, character >>> 3)] ?? 0;
  }
}

class Walk {
  readonly #slots: Int32Array;
  readonly #program: Program;
  readonly #seen: Uint32Array;
  readonly #stack: number[] = [];
  readonly #held: number[] = [];
  #round = 0;

  constructor(program: Program, slots: Int32Array) {
    this.#program = program;
    this.#slots = slots;
    this.#seen = new Uint32Array(program.op.length);
  }

  /** @returns the first of the goals that is reached from `from` without a character; -1 = none is */
  to(from: number, goals: Int32Array, found: number, at: number): number {
    this.#round++;
    const { op, out, arg } = this.#program;
    // A way without branches leads there, and needs no memory of where it has been.
    let straight = from;
    for (let kind = op[straight]; kind === Op.capture || kind === Op.nop; kind = op[straight]) {
      if (kind === Op.capture) this.#slots[arg[straight] ?? 0] = at;
      straight = out[straight] ?? 0;
    }
    if (takesCharacter(op[straight] ?? 0) && goals.includes(straight)) return straight;
    // Below 0: a slot gets back what it held, as the way behind it led nowhere.
    const stack = this.#stack;
    const held = this.#held;
    stack.length = 0;
    held.length = 0;
    stack.push(straight);
    for (let pc = stack.pop(); pc !== undefined; pc = stack.pop()) {
      if (pc < 0) {
        this.#slots[~pc] = held.pop() ?? -1;
        continue;
      }
      if (this.#seen[pc] === this.#round) continue;
      this.#seen[pc] = this.#round;
      const next = out[pc] ?? 0;
      const more = arg[pc] ?? 0;
      switch (op[pc]) {
        case Op.alt:
        case Op.altMatch:
          stack.push(more, next);
          break;
        case Op.capture:
          held.push(this.#slots[more] ?? -1);
          this.#slots[more] = at;
          stack.push(~more, next);
          break;
        case Op.nop:
          stack.push(next);
          break;
        case Op.empty:
          if ((more & ~found) === 0) stack.push(next);
          break;
        case Op.fail:
          break;
        default:
          if (goals.includes(pc)) return pc;
      }
    }
    return -1;
  }
}
