import type { LoginEvent } from '@postern/link';
import { run } from '../change/change.ts';
import { messageOf, settle } from '../change/confirm.ts';
import type { Core } from '../core.ts';
import type { Keys } from '../gate/keys.ts';
import { LoginChanges } from './login-changes.ts';

/** Further ones are not written down: a log-in that is in no list holds all the same. */
const MOST_WAITING = 10_000;
const AT_ONCE = 100;
const TIDY_MS = 60_000;
/** Until what could not be written is tried again. */
const AGAIN_MS = 5_000;

/**
 * What edges tell of log-ins, written down many in one step. Nobody waits for it but `stop`: log-ins go on without a
 * database, and what a visitor has ended is over at his edge before it is here.
 */
export class Logins {
  readonly #core: Core;
  #waiting: LoginEvent[] = [];
  #lost = 0;
  #writing: Promise<void> | null = null;
  #tidy: NodeJS.Timeout | null = null;
  #again: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(core: Core) {
    this.#core = core;
  }

  start(): void {
    this.#tidy = setInterval(() => void this.#begin(true), TIDY_MS).unref();
    void this.#begin(true);
  }

  /** Resolves when what was told before is written, or cannot be. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#tidy !== null) clearInterval(this.#tidy);
    if (this.#again !== null) clearTimeout(this.#again);
    await this.#writing;
    if (this.#waiting.length > 0) await this.#begin(false);
  }

  note(event: LoginEvent): void {
    // What has ended is worth more than another line of a list.
    if (this.#waiting.length >= MOST_WAITING && (event.kind !== 'ended' || this.#waiting.length >= 2 * MOST_WAITING)) {
      if (this.#lost === 0) this.#core.log.warn({}, 'more visitors log in than can be written down');
      this.#lost += 1;
      return;
    }
    this.#waiting.push(event);
    if (!this.#stopped && this.#again === null) void this.#begin(false);
  }

  #begin(tidies: boolean): Promise<void> {
    this.#writing ??= this.#writeAll(tidies).finally(() => (this.#writing = null));
    return this.#writing;
  }

  async #writeAll(tidies: boolean): Promise<void> {
    // What comes in the same turn goes together.
    await Promise.resolve();
    let tidy = tidies;
    while (tidy || this.#waiting.length > 0) {
      const events = this.#waiting.slice(0, AT_ONCE);
      try {
        // oxlint-disable-next-line no-await-in-loop -- what comes meanwhile goes into the next one
        await this.#write(events, tidy);
      } catch (error) {
        this.#core.log.warn({ error: messageOf(error) }, 'log-ins of visitors could not be written down yet');
        this.#tryAgain();
        return;
      }
      tidy = false;
      this.#waiting.splice(0, events.length);
      this.#lost = 0;
    }
  }

  #tryAgain(): void {
    if (this.#stopped) return;
    this.#again = setTimeout(() => {
      this.#again = null;
      void this.#begin(false);
    }, AGAIN_MS).unref();
  }

  async #write(events: readonly LoginEvent[], tidies: boolean): Promise<void> {
    const keysOf = (keys: Keys): Keys => {
      for (const event of events) {
        keys.id(event.sessionId);
        if (event.kind !== 'ended') keys.id(event.kind === 'began' ? event.user.id : event.userId);
      }
      return keys.id('lists of visitors');
    };
    const { online } = await run(this.#core, keysOf, async () => {
      const changes = new LoginChanges(this.#core);
      if (tidies) changes.tidy();
      for (const event of events) changes.take(event);
      const grown = new Set(events.map(({ accountId }) => accountId));
      return { answer: null, writes: changes.writes(grown), registry: [] };
    });
    // Edges that are silent are no reason to wait.
    void settle(this.#core, online);
  }
}
