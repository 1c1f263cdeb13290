/**
 * Who had which key last. One process has the database, and all its commits go through one writer, so this lies in
 * memory: who decided before the database was opened is gone. Where several processes share a database it is a table.
 */
import type { Guards } from '../types.ts';

/** Keys that are remembered; whoever decided before the oldest of them has to look again. */
const MOST_KEYS = 100_000;

export class GuardBook {
  /** By key: the newest commit that had it alone. The oldest such commit stands first. */
  readonly #alone = new Map<string, number>();
  readonly #shared = new Map<string, number>();
  /** What was decided before this revision is out of date, or cannot be judged any more. */
  #since: number;

  constructor(revision: number) {
    this.#since = revision;
  }

  /** What does not hold of the guards, in words; null = they hold. */
  broken({ asOf, alone, shared }: Guards, newest: number): string | null {
    if (asOf < this.#since || (alone === 'everything' && asOf < newest)) return `something after revision ${asOf}`;
    if (alone === 'everything') return null;
    const taken = (key: string): boolean => (this.#alone.get(key) ?? 0) > asOf;
    return alone.find((key) => taken(key) || (this.#shared.get(key) ?? 0) > asOf) ?? shared.find(taken) ?? null;
  }

  /** A commit that changed something. */
  note(guards: Guards | null, writes: readonly { readonly rowId: string }[], revision: number): void {
    for (const { rowId } of writes) this.#remember(this.#alone, rowId, revision);
    if (guards === null) return;
    if (guards.alone === 'everything') this.#since = revision;
    else for (const key of guards.alone) this.#remember(this.#alone, key, revision);
    for (const key of guards.shared) this.#remember(this.#shared, key, revision);
  }

  /** After a transaction that failed: what was noted in it did not happen. */
  forget(revision: number): void {
    this.#alone.clear();
    this.#shared.clear();
    this.#since = revision;
  }

  #remember(keys: Map<string, number>, key: string, revision: number): void {
    keys.delete(key);
    keys.set(key, revision);
    if (keys.size <= MOST_KEYS) return;
    for (const [oldest, at] of keys) {
      keys.delete(oldest);
      this.#since = Math.max(this.#since, at);
      break;
    }
  }
}
