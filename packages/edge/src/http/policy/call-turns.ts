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
  readonly owner: TurnOwner;
  /** Runs when the turn has come, unless it is given back before. */
  readonly start: () => void;
  come: boolean;
}

interface Line {
  running: number;
  readonly waiting: Set<Turn>;
}

export class CallTurns {
  readonly #lines = new Map<string, Line>();
  readonly #accounts = new Tally();

  /** @returns null when there are too many; a turn that has `come` already is not told so by `start` */
  enter(owner: TurnOwner, start: () => void): Turn | null {
    const { endpointId, accountId } = owner;
    const line = this.#lines.get(endpointId) ?? { running: 0, waiting: new Set() };
    const turn: Turn = { owner, start, come: line.running < AT_ONCE };
    if (!turn.come) {
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

  /** Once for each turn, whether it has come or not. */
  leave(turn: Turn): void {
    const { endpointId, accountId } = turn.owner;
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
