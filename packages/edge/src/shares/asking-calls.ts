/** An edge's side of how many calls of policies are under way at once, which is counted for all edges. */
import type { Turn, TurnOwner, Turns } from '../http/policy/call-turns.ts';
import type { Answer } from './shares.ts';

interface Asked extends Turn {
  readonly start: () => void;
  come: boolean;
  /** The keeper knows of it. */
  known: boolean;
  left: boolean;
}

export class AskingCalls implements Turns {
  readonly #ask: (id: number, owner: TurnOwner) => Promise<Answer>;
  readonly #tellOver: (id: number) => void;
  /** Those that wait, by id. */
  readonly #waiting = new Map<number, Asked>();
  #lastId = 0;

  constructor(ask: (id: number, owner: TurnOwner) => Promise<Answer>, tellOver: (id: number) => void) {
    this.#ask = ask;
    this.#tellOver = tellOver;
  }

  enter(owner: TurnOwner, start: () => void, refuse: () => void): Turn {
    const id = (this.#lastId += 1);
    const turn: Asked = { start, come: false, known: false, left: false, leave: () => this.#leave(id, turn) };
    this.#waiting.set(id, turn);
    this.#ask(id, owner).then(
      (answer) => this.#answered(id, turn, answer, refuse),
      // The keeper is gone, and this process ends with it.
      () => {},
    );
    return turn;
  }

  /** The turn of one that waits has come; perhaps before the answer that it waits. */
  come(id: number): void {
    const turn = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (turn === undefined) return;
    turn.come = true;
    turn.start();
  }

  #answered(id: number, turn: Asked, answer: Answer, refuse: () => void): void {
    turn.known = true;
    // What is told comes before what is asked: it could not be told before.
    if (turn.left) return this.#tellOver(id);
    if (answer === 1) return this.come(id);
    if (answer !== 0) return;
    this.#waiting.delete(id);
    refuse();
  }

  #leave(id: number, turn: Asked): void {
    turn.left = true;
    this.#waiting.delete(id);
    if (turn.known) this.#tellOver(id);
  }
}
