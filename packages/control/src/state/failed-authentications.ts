import { isPosternError } from '@postern/errors';
import type { ControlDependencies } from '../config.ts';

/** Where somebody wanted to come in. */
export type Door = 'agent' | 'api';

/** A source is named so often. */
const EVERY_MS = 60_000;
/** Lines of all sources in that time: who has many addresses does not fill the log. */
const MOST_LINES = 1_000;
const MOST_SOURCES = 10_000;

/**
 * What says that nobody with a valid credential was there: none, one that cannot be read, that is unknown, of the other
 * kind, deleted, or whose owner is not active.
 */
const FAILURES = new Set([105, 107, 200, 201, 202, 203, 206, 208, 300, 636, 4018, 90050]);

interface Source {
  readonly saidAt: number;
  /** Failures since then. */
  unsaid: number;
}

/**
 * Failed authentications of agents and of callers of the API: counted, and logged once per source and minute, in a form
 * that tools which ban addresses read (docs/operate.md, Failed log-ins).
 */
export class FailedAuthentications {
  readonly counts: Record<Door, number> = { agent: 0, api: 0 };
  readonly #log: ControlDependencies['log'];
  readonly #now: () => number;
  /** Least recently named first. */
  readonly #sources = new Map<string, Source>();
  #lines = 0;
  #since = Number.NEGATIVE_INFINITY;

  constructor({ log, now }: Pick<ControlDependencies, 'log' | 'now'>) {
    this.#log = log;
    this.#now = now;
  }

  /**
   * @param from address, with or without a port
   * @param error why nobody was let in; anything but a wrong credential is ignored
   */
  note(door: Door, from: string, error: unknown): void {
    if (!isPosternError(error) || !FAILURES.has(error.number)) return;
    this.counts[door] += 1;
    const now = this.#now();
    const address = addressOf(from);
    const key = `${door} ${address}`;
    const source = this.#sources.get(key);
    if (source !== undefined && now - source.saidAt < EVERY_MS) {
      source.unsaid += 1;
      return;
    }
    if (!this.#mayWrite(now)) return;
    this.#sources.delete(key);
    for (const oldest of this.#sources.keys()) {
      if (this.#sources.size < MOST_SOURCES) break;
      this.#sources.delete(oldest);
    }
    this.#sources.set(key, { saidAt: now, unsaid: 0 });
    const failures = 1 + (source?.unsaid ?? 0);
    this.#log.warn({ door, from: address, code: error.code, failures }, 'authentication failed');
  }

  #mayWrite(now: number): boolean {
    if (now - this.#since >= EVERY_MS) {
      this.#since = now;
      this.#lines = 0;
    }
    this.#lines += 1;
    return this.#lines <= MOST_LINES;
  }
}

/** `192.0.2.1:80`, `[2001:db8::1]:80`, `::ffff:192.0.2.1` → the address. */
function addressOf(from: string): string {
  const bracket = from.startsWith('[') ? from.slice(1, from.indexOf(']')) : from;
  const plain = bracket === from && from.split(':').length === 2 ? from.slice(0, from.indexOf(':')) : bracket;
  return plain.startsWith('::ffff:') && plain.includes('.') ? plain.slice('::ffff:'.length) : plain;
}
