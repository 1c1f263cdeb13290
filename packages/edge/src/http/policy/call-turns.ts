/**
 * How many calls of policies are under way at once. Each holds a visitor's request, a place at an agent and the memory of
 * an answer for up to its timeout: a called service that hangs would otherwise take all of them. Who comes when an
 * endpoint's are taken waits in line, within its own timeout, as a burst is over in a moment.
 *
 * Only what a visitor's request calls takes a turn. What is called by that in turn goes on at once: it would wait for who
 * waits for it, and there is never more than one of each level for a turn.
 */
import { Tally } from '../../tally.ts';

/** For the policy of one endpoint. */
const AT_ONCE = 32;
const IN_LINE = 256;
/** For all policies of one account: 64 MiB of answers. */
const OF_ACCOUNT = 256;

export interface TurnOwner {
  readonly endpointId: string;
  readonly accountId: string;
}

/** One call's. */
export interface Turn {
  /** Whether it may begin. */
  readonly come: boolean;
  /** Once, whether it has come or not. */
  leave(): void;
}

/** Of this edge, or of all edges of its node. */
export interface Turns {
  /**
   * @param start runs when the turn has come, unless it has come at once or is given back before
   * @param refuse runs instead when there are too many, and that is only known later
   * @returns null when there are too many
   */
  enter(owner: TurnOwner, start: () => void, refuse: () => void): Turn | null;
}

interface Entered extends Turn {
  readonly start: () => void;
  come: boolean;
}

interface Line {
  running: number;
  readonly waiting: Set<Entered>;
}

export class CallTurns implements Turns {
  readonly #lines = new Map<string, Line>();
  readonly #accounts = new Tally();

  enter(owner: TurnOwner, start: () => void): Turn | null {
    const { endpointId, accountId } = owner;
    const line = this.#lines.get(endpointId) ?? { running: 0, waiting: new Set() };
    const come = line.running < AT_ONCE;
    const turn: Entered = { start, come, leave: () => this.#leave(owner, turn) };
    if (!come) {
      if (line.waiting.size >= IN_LINE) return null;
      line.waiting.add(turn);
      return turn;
    }
    if (this.#accounts.of(accountId) >= OF_ACCOUNT) return null;
    line.running++;
    this.#lines.set(endpointId, line);
    this.#accounts.add(accountId, 1);
    return turn;
  }

  #leave({ endpointId, accountId }: TurnOwner, turn: Entered): void {
    const line = this.#lines.get(endpointId);
    if (line === undefined || line.waiting.delete(turn)) return;
    const [next] = line.waiting;
    if (next !== undefined) {
      line.waiting.delete(next);
      next.come = true;
      next.start();
      return;
    }
    line.running--;
    if (line.running === 0) this.#lines.delete(endpointId);
    this.#accounts.add(accountId, -1);
  }
}
