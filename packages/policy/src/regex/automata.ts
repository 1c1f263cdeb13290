/**
 * The two automata of a pattern: one goes through a text and finds where the first match ends, taken as a search by
 * precedence would (leftmost, then the first of the alternatives); the other goes back from there, to where it begins.
 * Each reads a character in the same few instructions of the machine, however large the pattern is.
 */
import { assertionsAt, Beside, Op, takesCharacter, type Program } from './program.ts';
import { States, type State } from './states.ts';

/** Of a transition: what it tells besides the state behind it. */
export const Mark = {
  /** Forward: a match ends at the place before the character; backward: one may begin at the place behind it. */
  here: 1,
  /** Nothing has begun to match. */
  idle: 2,
  /** Nothing can match any more. */
  dead: 4,
} as const;
/** How many bits they take. */
export const MARKS = 3;
export const ALL_MARKS = (1 << MARKS) - 1;

/** What making a transition costs besides its instructions, in characters read. */
const MAKING = 60;
const EACH_INSTRUCTION = 12;

/** Transitions times instructions: beyond, it costs more to know what can be passed over than to read it. */
const MOST_TRIED = 50_000;

export abstract class Automaton {
  readonly program: Program;
  readonly states: States;
  /** Characters that could have been read while transitions were made. */
  cost = 0;
  /** Instructions that have been seen in this closure. */
  readonly #seen: Uint32Array;
  #closure = 0;
  readonly #stack: number[] = [];
  readonly #starting: (State | undefined)[] = [];

  constructor(program: Program) {
    this.program = program;
    this.states = new States(program.bounds.length + 1);
    this.#seen = new Uint32Array(program.op.length + 1);
  }

  /** @returns row and marks behind a character of the class; the table may be another one afterwards */
  make(row: number, cls: number): number {
    const { states, program } = this;
    const from = states.at(row);
    const end = cls > program.bounds.length;
    const beside = end ? Beside.edge : program.asserts ? (program.beside[cls] ?? 0) : Beside.other;
    const closed = this.closed(from, beside);
    const next: number[] = [];
    const marks = this.step(closed, end ? -1 : cls, next);
    this.cost += MAKING + (closed.length + next.length) * EACH_INSTRUCTION;
    const kept = program.asserts ? beside : Beside.other;
    let to = states.add(next, kept);
    let at = row;
    if (to === null) {
      states.forget();
      at = states.needed([...from.pcs], from.beside).row;
      to = states.needed(next, kept);
    }
    const value = (to.row << MARKS) | marks;
    states.table[at + cls] = value;
    return value;
  }

  /** Instructions that are reached without a character, between what is beside the place. */
  protected abstract closed(state: State, beside: number): number[];
  /** @returns marks; fills `next` with where a character of the class leads; -1 = there is none */
  protected abstract step(closed: readonly number[], cls: number, next: number[]): number;

  /** The state of a search that begins beside what stands there. */
  protected starting(beside: number, pcs: readonly number[]): State {
    const at = this.program.asserts ? beside : Beside.other;
    const known = this.#starting[at];
    const state = known === undefined ? this.states.needed(pcs, at) : this.states.current(known);
    this.#starting[at] = state;
    return state;
  }

  protected begin(): number[] {
    this.#closure++;
    this.#stack.length = 0;
    return this.#stack;
  }

  /** @returns whether it is for the first time since `begin` */
  protected first(pc: number): boolean {
    if (this.#seen[pc] === this.#closure) return false;
    this.#seen[pc] = this.#closure;
    return true;
  }
}

export class Forward extends Automaton {
  /** Bytes with which no match begins, whatever stands before them: 1. */
  readonly passable: Uint8Array;
  /** Stands in states for all matches that begin further on. */
  readonly #further: number;
  readonly #starts: readonly number[];

  constructor(program: Program) {
    super(program);
    this.#further = program.op.length;
    this.#starts = [this.#further];
    this.passable = this.#passable();
  }

  /** Where a search begins. */
  start(before: number): State {
    return this.starting(before, this.#starts);
  }

  #passable(): Uint8Array {
    const { ascii, bounds, asserts } = this.program;
    const befores: readonly number[] = asserts
      ? [Beside.other, Beside.newline, Beside.word, Beside.edge]
      : [Beside.other];
    if ((bounds.length + 1) * befores.length * this.program.op.length > MOST_TRIED) return new Uint8Array(256);
    const passed = Array.from({ length: bounds.length + 1 }, (_, cls) =>
      befores.every((before) => (this.make(this.start(before).row, cls) & ALL_MARKS) === Mark.idle),
    );
    const beyond = passed.slice(ascii[127]).every(Boolean);
    return Uint8Array.from({ length: 256 }, (_, byte) => Number(byte < 128 ? passed[ascii[byte] ?? 0] : beyond));
  }

  protected closed(state: State, beside: number): number[] {
    const { op, out, arg, start } = this.program;
    const found = assertionsAt(state.beside, beside);
    const stack = this.begin();
    const closed: number[] = [];
    for (let at = state.pcs.length - 1; at >= 0; at--) stack.push(state.pcs[at] ?? 0);
    for (let pc = stack.pop(); pc !== undefined; pc = stack.pop()) {
      if (!this.first(pc)) continue;
      if (pc === this.#further) {
        closed.push(pc);
        // It comes behind what begins here, and is pushed first for that.
        stack.push(start);
        continue;
      }
      switch (op[pc]) {
        case Op.alt:
        case Op.altMatch:
          stack.push(arg[pc] ?? 0, out[pc] ?? 0);
          break;
        case Op.capture:
        case Op.nop:
          stack.push(out[pc] ?? 0);
          break;
        case Op.empty:
          if (((arg[pc] ?? 0) & ~found) === 0) stack.push(out[pc] ?? 0);
          break;
        case Op.fail:
          break;
        default:
          closed.push(pc);
      }
    }
    return closed;
  }

  protected step(closed: readonly number[], cls: number, next: number[]): number {
    const { program } = this;
    const { op, out } = program;
    const further = this.#further;
    let marks = 0;
    let goesOn = false;
    this.begin();
    for (const pc of closed) {
      if (pc === further) {
        goesOn = true;
        continue;
      }
      if (op[pc] === Op.match) {
        // What is behind it has less precedence.
        marks |= Mark.here;
        goesOn = false;
        break;
      }
      const to = out[pc] ?? 0;
      if (cls >= 0 && program.takes(pc, cls) && this.first(to)) next.push(to);
    }
    if (goesOn) next.push(further);
    if (next.length === 0) marks |= Mark.dead;
    else if (next.length === 1 && goesOn) marks |= Mark.idle;
    return marks;
  }
}

export class Backward extends Automaton {
  /** Instructions that lead to one without a character, and those that do by one. */
  readonly #before: readonly (readonly number[])[];
  readonly #takers: readonly (readonly number[])[];
  readonly #ends: readonly number[];

  constructor(program: Program) {
    super(program);
    const { op, out, arg } = program;
    const before: number[][] = Array.from(op, () => []);
    const takers: number[][] = Array.from(op, () => []);
    for (const [pc, kind] of op.entries()) {
      if (kind === Op.match || kind === Op.fail) continue;
      (takesCharacter(kind) ? takers : before)[out[pc] ?? 0]?.push(pc);
      if (kind === Op.alt || kind === Op.altMatch) before[arg[pc] ?? 0]?.push(pc);
    }
    this.#ends = [...op.keys()].filter((pc) => op[pc] === Op.match);
    this.#before = before;
    this.#takers = takers;
  }

  /** The end of a match. */
  start(behind: number): State {
    return this.starting(behind, this.#ends);
  }

  protected closed(state: State, beside: number): number[] {
    const { op, arg } = this.program;
    const found = assertionsAt(beside, state.beside);
    const stack = this.begin();
    const closed: number[] = [];
    for (const pc of state.pcs) stack.push(pc);
    for (let pc = stack.pop(); pc !== undefined; pc = stack.pop()) {
      if (!this.first(pc)) continue;
      closed.push(pc);
      for (const from of this.#before[pc] ?? []) {
        if (op[from] !== Op.empty || ((arg[from] ?? 0) & ~found) === 0) stack.push(from);
      }
    }
    return closed;
  }

  protected step(closed: readonly number[], cls: number, next: number[]): number {
    const { program } = this;
    let marks = 0;
    for (const pc of closed) {
      if (pc === program.start) marks |= Mark.here;
      if (cls < 0) continue;
      for (const from of this.#takers[pc] ?? []) if (program.takes(from, cls)) next.push(from);
    }
    next.sort((a, b) => a - b);
    return next.length === 0 ? marks | Mark.dead : marks;
  }
}
