/**
 * Which parts of a match its groups took: back from its end once, keeping from which instructions each place can still
 * reach it, then forward by the way of most precedence that does.
 */
import { assertionsAt, Beside, classIn, Op, type Program } from './program.ts';
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
  #ways: State[] = [];
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
    const bytes = this.#bytes;
    this.#start = start;
    this.#end = end;
    this.#at = end;
    this.#forward = false;
    this.#generation = this.#backward.states.generation;
    const behind = end === bytes.length ? Beside.edge : this.#beside(characterAt(bytes, end, bytes.length));
    this.#ways = [this.#backward.start(behind)];
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
      const character = characterBefore(this.#bytes, this.#at);
      this.#at -= character & 7;
      const { row } = states.current(last);
      const cls = classIn(program.bounds, character >>> 3);
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
    for (let way = this.#ways.pop(); way !== undefined; way = this.#ways.pop()) {
      const character = this.#at === bytes.length ? -1 : characterAt(bytes, this.#at, bytes.length);
      const behind = character === -1 ? Beside.edge : this.#beside(character);
      const taker = this.#walk.to(this.#pc, way.pcs, assertionsAt(this.#before, behind), this.#at);
      if (taker === -1) throw new Error('a match has no way through its pattern');
      this.#pc = program.out[taker] ?? 0;
      this.#before = behind;
      this.#at += character & 7;
      effort.left -= A_CHARACTER;
      if (effort.left <= 0 && this.#ways.length > 0) return false;
    }
    return true;
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
    // Below 0: a slot gets back what it held, as the way behind it led nowhere.
    const stack: number[] = [from];
    const held: number[] = [];
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
