/** An edge's side of what the edges of a node share. */
import type { BreakerLimit, BreakerPass, Breakers, Counters, CountLimit } from '@postern/policy';
import type { AgentLimits } from '../agents/agent-plane.ts';
import { SHARED_MS } from '../services/keys.ts';
import type { Outside } from '../services/outside.ts';
import type { SharedLogins } from '../services/sessions.ts';
import { AskingCalls } from './asking-calls.ts';
import { AskingOnce } from './asking-once.ts';
import type { Answer, Ask, CountedAt, Done, OnceKind, Order, ShareChannel, Told } from './shares.ts';

/** Buckets that are known to be full, and until when: a flood of refused requests asks once. */
const MOST_FULL = 10_000;
/** Of one kind, done once and under way. */
const MOST_DOINGS = 10_000;

interface Asked {
  readonly ask: Ask;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** What an edge keeps of the connections of one listener. */
export interface SharedGate {
  /** Others have taken all that there is. */
  full(network: string, exempt: boolean): boolean;
  /**
   * @param revoke it was one too many
   * @param from where it is counted already; null = nowhere
   * @returns its number, for `closed`
   */
  opened(network: string, exempt: boolean, revoke: () => void, from: CountedAt | null): number;
  closed(id: number): void;
}

export class AskingShares {
  readonly counters: Counters = { take: (endpointId, bucket, limit) => this.#take(endpointId, bucket, limit) };
  readonly breakers: Breakers = { enter: (endpointId, limit) => this.#enter(endpointId, limit) };
  readonly agents: AgentLimits = {
    auths: {
      delay: (ip) => this.#ask({ kind: 'auth', ip }),
      failed: (ip) => this.#tell({ kind: 'authenticated', ip, right: false }),
      succeeded: (ip) => this.#tell({ kind: 'authenticated', ip, right: true }),
    },
    binds: {
      take: async (account) => {
        const wait = await this.#ask({ kind: 'bind', account });
        return wait < 0 ? null : wait;
      },
    },
  };
  readonly calls = new AskingCalls(
    (id, owner) => this.#ask({ kind: 'call', id, owner }),
    (id) => this.#tell({ kind: 'called', id }),
  );
  readonly logins: SharedLogins = {
    spend: async (key, forMs) => (await this.#ask({ kind: 'spend', key, forMs })) === 1,
    end: (id, until) => this.#channel.end(id, until),
    once: (key, work, keptMs) => this.#once.renewal.do(key, work, keptMs),
  };
  readonly #once: Readonly<Record<OnceKind, AskingOnce>>;
  readonly #channel: ShareChannel;
  readonly #now: () => number;
  readonly #fullUntil = new Map<string, number>();
  /** Networks that may not open more at a listener; '' for any. */
  readonly #full = new Set<string>();
  readonly #revokes = new Map<number, () => void>();
  #onEnded: (sessionId: string, until: number) => void = () => {};
  #lastId = 0;
  #asked: Asked[] = [];
  #told: Told[] = [];
  #scheduled = false;

  /** @param now milliseconds of a clock that is never set back */
  constructor(channel: ShareChannel, now: () => number) {
    this.#channel = channel;
    this.#now = now;
    const once = (kind: OnceKind): AskingOnce => new AskingOnce(channel, kind, now, MOST_DOINGS);
    this.#once = { renewal: once('renewal'), keys: once('keys') };
  }

  /** @param onEnded a session of a visitor is over, as he was at another edge */
  follow(onEnded: (sessionId: string, until: number) => void): void {
    this.#onEnded = onEnded;
  }

  ended(sessionId: string, until: number): void {
    this.#onEnded(sessionId, until);
  }

  work(kind: OnceKind, key: string): Promise<Done> {
    return this.#once[kind].work(key);
  }

  /** @param outside how this edge fetches sets of keys, where it is the one that does */
  keySets(outside: Pick<Outside, 'get'>): Pick<Outside, 'get'> {
    const forAll = (): number => SHARED_MS;
    return { get: (request) => this.#once.keys.do(request.url.href, () => outside.get(request), forAll) };
  }

  gate(listener: string): SharedGate {
    return {
      full: (network, exempt) =>
        this.#full.size > 0 &&
        (this.#full.has(`${listener} `) || (!exempt && this.#full.has(`${listener} ${network}`))),
      opened: (network, exempt, revoke, from) => {
        const id = (this.#lastId += 1);
        this.#revokes.set(id, revoke);
        this.#tell({ kind: 'opened', id, listener, network, exempt, from });
        return id;
      },
      closed: (id) => {
        this.#revokes.delete(id);
        this.#tell({ kind: 'closed', id });
      },
    };
  }

  ordered(orders: readonly Order[]): void {
    for (const order of orders) {
      if (order.kind === 'revoke') this.#revokes.get(order.id)?.();
      else if (order.kind === 'turn') this.calls.come(order.id);
      else if (order.full) this.#full.add(`${order.listener} ${order.network}`);
      else this.#full.delete(`${order.listener} ${order.network}`);
    }
  }

  async #take(endpointId: string, bucket: string, limit: CountLimit): Promise<number> {
    const key = `${endpointId} ${limit.capacity} ${limit.set} ${bucket}`;
    const known = (this.#fullUntil.get(key) ?? 0) - this.#now();
    if (known > 0) return known;
    const wait = await this.#ask({ kind: 'count', endpointId, bucket, limit });
    this.#fullUntil.delete(key);
    if (wait > 0) {
      this.#fullUntil.set(key, this.#now() + wait);
      const [oldest] = this.#fullUntil.size > MOST_FULL ? this.#fullUntil.keys() : [];
      if (oldest !== undefined) this.#fullUntil.delete(oldest);
    }
    return wait;
  }

  async #enter(endpointId: string, limit: BreakerLimit): Promise<BreakerPass | null> {
    const pass = await this.#ask({ kind: 'enter', endpointId, limit });
    return pass === 0 ? null : { leave: (verdict) => this.#tell({ kind: 'left', pass, verdict }) };
  }

  #ask(ask: Ask): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ ask, resolve, reject });
      this.#schedule();
    });
  }

  #tell(told: Told): void {
    this.#told.push(told);
    this.#schedule();
  }

  /** One message for all that a turn of the loop has to ask. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    const told = this.#told;
    const asked = this.#asked;
    this.#told = [];
    this.#asked = [];
    if (told.length > 0) this.#channel.tell(told);
    if (asked.length === 0) return;
    this.#channel.ask(asked.map(({ ask }) => ask)).then(
      (answers) => asked.forEach(({ resolve }, index) => resolve(answers[index] ?? 0)),
      (error: unknown) => asked.forEach(({ reject }) => reject(error)),
    );
  };
}
