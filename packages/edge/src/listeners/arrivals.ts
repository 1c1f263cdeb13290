/**
 * Whether more visitors come to a listener than can be served.
 *
 * The runtime takes one connection from a listening socket in each turn of its loop. When more come, the line grows in
 * the system's backlog, where nobody sees how long it is: each waits longer than the one before, until all that is
 * served is served for visitors who have left. What can be seen is whether the line ends: a turn in which nobody comes.
 * A line that has had no end for too long is refused, at once and cheaply, until it has one. How long that is depends on
 * what was before: a crowd that comes at once may stand for as long as people wait; under a load that stays, the line
 * is kept short, so that whoever is let in is served soon. Where telling everybody why is too much to ever end the line,
 * nobody is told: to cut a connection costs half of that.
 */

/** For so long after a refusal lines are kept short. */
const WARY_MS = 10_000;
/** Of the patience: how long a line may be while it is kept short. */
const WARY_SHARE = 20;
/** Of the patience: how long a line may be told before it is cut. */
const TELL_SHARE = 8;

/** What is done with who comes: `refuse` may say why, `cut` must cost as little as can be. */
export type Verdict = 'take' | 'refuse' | 'cut';

export interface ArrivalsOptions {
  /** How long the line may have no end; 0 = for ever. */
  readonly patienceMs: number;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** Calls back at the end of this turn of the loop: `setImmediate`. */
  readonly later: (callback: () => void) => void;
  /** The first refusal of a line. @param waitedMs for how long it had no end */
  readonly onCrowd: (waitedMs: number) => void;
}

/** One per listener. */
export class Arrivals {
  readonly #options: ArrivalsOptions;
  /** When the line that stands now began; null = nobody stands. */
  #since: number | null = null;
  #cameInTurn = false;
  /** Since when this line is refused; null = it is not. */
  #refusingSince: number | null = null;
  /** Lines of late did not end by being told. */
  #cuts = false;
  #waryUntil = -Infinity;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  /** Somebody has come. */
  come(): Verdict {
    const { patienceMs, now, later } = this.#options;
    if (patienceMs === 0) return 'take';
    const at = now();
    this.#cameInTurn = true;
    if (this.#since === null) {
      this.#since = at;
      later(this.#turnEnds);
      return 'take';
    }
    if (this.#refusingSince === null) {
      const wary = at < this.#waryUntil;
      const waited = at - this.#since;
      if (waited < (wary ? patienceMs / WARY_SHARE : patienceMs)) return 'take';
      this.#refusingSince = at;
      this.#cuts &&= wary;
      this.#options.onCrowd(waited);
    }
    this.#waryUntil = at + WARY_MS;
    this.#cuts ||= at - this.#refusingSince >= patienceMs / TELL_SHARE;
    return this.#cuts ? 'cut' : 'refuse';
  }

  readonly #turnEnds = (): void => {
    if (this.#cameInTurn) {
      this.#cameInTurn = false;
      this.#options.later(this.#turnEnds);
    } else {
      this.#since = null;
      this.#refusingSince = null;
    }
  };
}
