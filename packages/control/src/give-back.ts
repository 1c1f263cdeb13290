/** When reservations that made themselves are given back (`change/release.ts` says which). */
import type { Core } from './core.ts';
import type { Keys } from './gate/keys.ts';
import { run } from './change/change.ts';
import { messageOf } from './change/confirm.ts';
import { releaseOf } from './change/release.ts';
import { usersOfAddr, usersOfDomain } from './users.ts';

const SWEEP_MS = 60_000;

/**
 * Giving back for agents that left, many in one write, and the sweep over what nobody uses: after a crash, or a stop,
 * reservations wait as long as agents need to come back.
 */
export class Returns {
  readonly #core: Core;
  #pending: string[] = [];
  #step: Promise<void> | null = null;
  readonly #timers = new Set<NodeJS.Timeout>();
  #sweep: NodeJS.Timeout | null = null;
  /** Automatic reservations without a user, and since when. */
  #unusedSince = new Map<string, number>();
  #stopped = false;

  constructor(core: Core) {
    this.#core = core;
  }

  start(): void {
    this.#sweep = setInterval(() => void this.sweep(), SWEEP_MS).unref();
    void this.sweep();
  }

  /** What was still to be given back stays for the sweep of the next start. */
  stop(): void {
    this.#stopped = true;
    if (this.#sweep !== null) clearInterval(this.#sweep);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  /** Resolves when it is done. Not inside the claim step: it waits for one. */
  now(ids: readonly string[]): Promise<void> {
    if (ids.length === 0 || this.#stopped) return Promise.resolve();
    this.#pending.push(...ids);
    this.#step ??= this.#give();
    return this.#step;
  }

  /** What is asked for while the step waits for its turn goes with it, as far as the keys go. */
  async #give(): Promise<void> {
    await Promise.resolve();
    const due = this.#pending;
    this.#pending = [];
    this.#step = null;
    const keysOfDue = (keys: Keys): Keys => keys.reservations(due);
    try {
      await run(this.#core, keysOfDue, () => releaseOf(this.#core, due));
    } catch (error) {
      // The sweep finds them.
      this.#core.log.warn({ error: messageOf(error) }, 'unused reservations could not be given back yet');
    }
  }

  /** For an agent whose connection broke: most are back in a moment. */
  later(ids: readonly string[]): void {
    if (ids.length === 0 || this.#stopped) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.now(ids);
    }, this.#core.config.limits.lostMs).unref();
    this.#timers.add(timer);
  }

  /** Gives back what had no user for as long as agents need to come back. */
  async sweep(): Promise<void> {
    const { catalog, config, now } = this.#core;
    const seen = new Map<string, number>();
    const due: string[] = [];
    for (const row of [...catalog.domains.all(), ...catalog.addrs.all()]) {
      if (!row.automatic) continue;
      const users = 'domain' in row ? await usersOfDomain(this.#core, row) : await usersOfAddr(this.#core, row);
      if (users.length > 0) continue;
      const since = this.#unusedSince.get(row.id) ?? now();
      seen.set(row.id, since);
      if (now() - since >= config.limits.returnMs) due.push(row.id);
    }
    this.#unusedSince = seen;
    await this.now(due);
  }
}
