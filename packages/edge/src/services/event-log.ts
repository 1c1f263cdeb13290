/**
 * What policies tell, as lines of the server's log. Visitors decide how often a rule runs, so that lines are counted by
 * the second: for one endpoint, and for all of them, of which one alone never takes more than a quarter. What is above is
 * counted and lost; the first line of an endpoint after that says how many of its were.
 */
import type { Events, PolicyEvent } from '@postern/policy';
import type { Log } from '../context.ts';

const WINDOW_MS = 1_000;
/** Lines in a window. */
const OF_ALL = 200;
const OF_ONE = 50;
/** Of the JSON of its fields. */
const MOST_CHARACTERS = 16_384;
/** Endpoints whose losses are remembered. */
const MOST_LOSERS = 1_000;

export class EventLog implements Events {
  /** Events that found no room since the start. */
  lost = 0;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #lines = new Map<string, number>();
  readonly #losers = new Map<string, number>();
  #all = 0;
  #until = -Infinity;

  /** @param now milliseconds of a clock that is never set back */
  constructor(log: Log, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  emit({ type, endpointId, fields }: PolicyEvent): void {
    const now = this.#now();
    if (now >= this.#until) {
      this.#until = now + WINDOW_MS;
      this.#all = 0;
      this.#lines.clear();
    }
    const lines = this.#lines.get(endpointId) ?? 0;
    const full = this.#all >= OF_ALL || lines >= OF_ONE;
    if (full || !isLine(fields)) return this.#lose(endpointId);
    this.#all++;
    this.#lines.set(endpointId, lines + 1);
    const leftOut = this.#losers.get(endpointId);
    this.#losers.delete(endpointId);
    const more = leftOut === undefined ? {} : { left_out: leftOut };
    this.#log.info({ endpoint: endpointId, event: type, fields, ...more }, 'a policy tells');
  }

  #lose(endpointId: string): void {
    this.lost++;
    const before = this.#losers.get(endpointId);
    if (before === undefined && this.#losers.size >= MOST_LOSERS) return;
    this.#losers.set(endpointId, (before ?? 0) + 1);
  }
}

function isLine(fields: object): boolean {
  try {
    return JSON.stringify(fields).length <= MOST_CHARACTERS;
  } catch {
    return false;
  }
}
