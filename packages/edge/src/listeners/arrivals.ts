/**
 * Whether more visitors come to a listener than can be served.
 *
 * The runtime takes one connection from a listening socket in each turn of its loop. When more come, the line grows in
 * the system's backlog, and each waits longer than the one before, until all that is served is served for visitors who
 * have left. As long as there is a turn in which nobody comes, there is no line. While there is one, its length is
 * looked at now and then; how fast it is taken in says how long the last of it will wait. When that is too long, whoever
 * comes is refused, at once and cheaply, until the line has ended.
 *
 * What is too long depends on what was before: a crowd that comes once may wait as long as people do, and is not judged
 * before it has stood for so long, so that a busy machine's pause is not taken for a load; under a load that
 * stays, the line is kept short, so that whoever is let in is served soon. Where telling everybody why is too much to
 * ever end the line, nobody is told: to cut a connection costs half of that.
 */

/** How often a line is looked at. */
const LOOK_MS = 100;
/** For so long after a refusal lines are kept short. */
const WARY_MS = 10_000;
/** Of the patience: how long a line may be while it is kept short, and how long it is told before it is cut. */
const WARY_SHARE = 8;
const TELL_SHARE = 8;

/** What is done with who comes: `refuse` may say why, `cut` must cost as little as can be. */
export type Verdict = 'take' | 'refuse' | 'cut';

export interface ArrivalsOptions {
  /** How long visitors may have to wait until they are taken in; 0 = for ever. */
  readonly patienceMs: number;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** Calls back at the end of this turn of the loop: `setImmediate`. */
  readonly later: (callback: () => void) => void;
  /** How many stand in line at this moment; null = nobody knows, and nobody is refused. */
  readonly standing: () => number | null;
  /** The first refusal of a line. @param waitMs what its last would have waited */
  readonly onCrowd: (waitMs: number) => void;
}

/** One per listener. */
export class Arrivals {
  readonly #options: ArrivalsOptions;
  #beganAt = 0;
  /** When the line was last looked at, or began; null = nobody stands. */
  #lookedAt: number | null = null;
  /** Since then. */
  #taken = 0;
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
    this.#taken++;
    if (this.#lookedAt === null) {
      this.#beganAt = at;
      this.#look(at);
      later(this.#turnEnds);
      return 'take';
    }
    if (this.#refusingSince === null) {
      if (at - this.#lookedAt < LOOK_MS) return 'take';
      const waitMs = this.#waitMs(at, this.#lookedAt);
      const wary = at < this.#waryUntil;
      if (waitMs < (wary ? patienceMs / WARY_SHARE : patienceMs)) return 'take';
      // The process may have been held up, and the line with it: nobody in it has waited that long yet.
      if (!wary && at - this.#beganAt < patienceMs) return 'take';
      this.#refusingSince = at;
      this.#cuts &&= wary;
      this.#options.onCrowd(waitMs);
    }
    this.#waryUntil = at + WARY_MS;
    this.#cuts ||= at - this.#refusingSince >= patienceMs / TELL_SHARE;
    return this.#cuts ? 'cut' : 'refuse';
  }

  /** What the last of the line will wait, if it goes on as since the last look. */
  #waitMs(at: number, lookedAt: number): number {
    const each = (at - lookedAt) / this.#taken;
    this.#look(at);
    return (this.#options.standing() ?? 0) * each;
  }

  #look(at: number): void {
    this.#lookedAt = at;
    this.#taken = 0;
  }

  readonly #turnEnds = (): void => {
    if (this.#cameInTurn) {
      this.#cameInTurn = false;
      this.#options.later(this.#turnEnds);
    } else {
      this.#lookedAt = null;
      this.#refusingSince = null;
    }
  };
}
