/**
 * States of an automaton, made as texts need them and forgotten when there are too many: a pattern may have more of them
 * than there are bytes of memory, and each text visits few.
 */

/** Where the text has led a search: which instructions it may be at, and what is beside the place that was passed last. */
export interface State {
  /** In the order of their precedence, where that matters. */
  readonly pcs: Int32Array;
  readonly beside: number;
  /** Where its transitions are in the table. */
  row: number;
}

/** Numbers that tables and states of one direction of one pattern hold together: 256 KiB. */
const MOST_NUMBERS = 65_536;
/** Object, key and place in the map of a state, as numbers. */
const OF_A_STATE = 48;

export class States {
  /** Transitions by row and class; 0 = not made yet. Another array after `add`. */
  table: Int32Array;
  /** How often they have been forgotten. */
  generation = 0;
  readonly #stride: number;
  #rows: (State | undefined)[] = [];
  #byKey = new Map<string, State>();
  #numbers = 0;

  /** @param classes of characters; one more stands for the end of the text */
  constructor(classes: number) {
    this.#stride = classes + 1;
    this.table = new Int32Array(4 * this.#stride);
  }

  at(row: number): State {
    const state = this.#rows[row / this.#stride];
    if (state === undefined) throw new Error('a state has been forgotten');
    return state;
  }

  /** The state as it is now: it may have been forgotten since it was made. */
  current(state: State): State {
    return this.#rows[state.row / this.#stride] === state ? state : this.needed([...state.pcs], state.beside);
  }

  /** The same as `add`; others are forgotten where there is no room. */
  needed(pcs: readonly number[], beside: number): State {
    const state = this.add(pcs, beside);
    if (state !== null) return state;
    this.forget();
    return this.needed(pcs, beside);
  }

  /** The state, or the one like it that there is; `null` = there is no room until all are forgotten. */
  add(pcs: readonly number[], beside: number): State | null {
    const key = String.fromCharCode(beside, ...pcs);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const cost = this.#stride + 2 * pcs.length + OF_A_STATE;
    if (this.#numbers + cost > MOST_NUMBERS && this.#byKey.size > 1) return null;
    this.#numbers += cost;
    // Row 0 is nobody's, so that no transition is 0.
    const index = this.#byKey.size + 1;
    const state: State = { pcs: Int32Array.from(pcs), beside, row: index * this.#stride };
    this.#byKey.set(key, state);
    this.#rows[index] = state;
    if (state.row + this.#stride > this.table.length) {
      const larger = new Int32Array(Math.max(this.table.length * 2, state.row + this.#stride));
      larger.set(this.table);
      this.table = larger;
    }
    return state;
  }

  /** All rows are nobody's; states that somebody still holds may be added again. */
  forget(): void {
    this.generation++;
    this.#byKey = new Map();
    this.#rows = [];
    this.#numbers = 0;
    this.table = new Int32Array(4 * this.#stride);
  }
}
