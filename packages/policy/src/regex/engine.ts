/** All that searches for one pattern need, made when bodies need it. */
import type { RE2JS } from 're2js';
import { Backward, Forward } from './automata.ts';
import type { Effort } from './effort.ts';
import { readProgram, type Program } from './program.ts';

/** Of one pattern. Texts share its states, in turn. */
export class Engine {
  readonly program: Program;
  readonly forward: Forward;
  readonly backward: Backward;

  constructor(regex: RE2JS) {
    this.program = readProgram(regex);
    this.forward = new Forward(this.program);
    this.backward = new Backward(this.program);
  }
}

/** Of reading a program. */
const EACH_INSTRUCTION = 100;

/** Half a megabyte each at most. */
const MOST_KEPT = 64;
/** Those that were used last are the last. */
const kept = new Map<RE2JS, Engine>();

export function engineOf(regex: RE2JS, effort: Effort): Engine {
  let engine = kept.get(regex);
  if (engine === undefined) {
    engine = new Engine(regex);
    effort.left -= engine.forward.cost + engine.program.op.length * EACH_INSTRUCTION;
  }
  kept.delete(regex);
  kept.set(regex, engine);
  if (kept.size > MOST_KEPT) {
    const [oldest] = kept.keys();
    if (oldest !== undefined) kept.delete(oldest);
  }
  return engine;
}
