/**
 * Reservations that a claim made by itself go with their last user. Who may still need one is asked of what is there
 * now, never of what was meant, so that one rule serves endpoints, edges, agents and every claim that is taken back.
 */
import type { ReservedAddrRow, ReservedDomainRow, Write } from '@postern/store';
import type { Core } from './core.ts';
import { type Keys, withKeys } from './gate/keys.ts';
import { messageOf } from './change/confirm.ts';
import { usersOfAddr, usersOfDomain } from './users.ts';

/** What a footing or a row says of its reservations; '' = none. */
export interface Footed {
  readonly domainId: string;
  readonly tcpAddrId: string;
}

const SWEEP_MS = 60_000;

/** A reservation that was given back. */
export type Released =
  | { readonly table: 'reservedDomains'; readonly row: ReservedDomainRow }
  | { readonly table: 'reservedAddrs'; readonly row: ReservedAddrRow };

/**
 * Deletes those of these automatic reservations that nobody uses. Inside the claim step. Never throws: what stays for
 * want of a disk is found by the sweep.
 */
export async function giveBack(core: Core, ids: Iterable<string>): Promise<readonly Released[]> {
  const unused: Released[] = [];
  for (const id of new Set(ids)) {
    const found = await findUnused(core, id);
    if (found !== null) unused.push(found);
  }
  if (unused.length === 0) return [];
  try {
    await core.catalog.commit(unused.map(({ table, row }): Write => ({ op: 'delete', table, id: row.id })));
    return unused;
  } catch (error) {
    core.log.warn({ error: messageOf(error) }, 'unused reservations could not be given back yet');
    return [];
  }
}

export function reservationsOf(footed: readonly (Footed | null)[]): string[] {
  return footed.flatMap((one) => (one === null ? [] : [one.domainId, one.tcpAddrId])).filter((id) => id !== '');
}

async function findUnused(core: Core, id: string): Promise<Released | null> {
  const { catalog } = core;
  const domain = catalog.domains.get(id);
  if (domain?.automatic === true) {
    return (await usersOfDomain(core, domain)).length === 0 ? { table: 'reservedDomains', row: domain } : null;
  }
  const addr = catalog.addrs.get(id);
  if (addr?.automatic !== true) return null;
  return (await usersOfAddr(core, addr)).length === 0 ? { table: 'reservedAddrs', row: addr } : null;
}

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
    await withKeys(this.#core, keysOfDue, async () => void (await giveBack(this.#core, due)));
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
