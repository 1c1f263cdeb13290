import type { BreakerPass } from '@postern/policy';
import { AuthLimiter } from '../agents/auth-limiter.ts';
import { BindPaces } from '../agents/pace.ts';
import { CallTurns, type Turn, type TurnOwner } from '../http/policy/call-turns.ts';
import type { GateLimits } from '../listeners/gate.ts';
import { CircuitBreakers } from '../services/breakers.ts';
import { SlidingCounters } from '../services/counters.ts';
import { Once } from '../services/once.ts';
import { SpentOnce } from '../services/spent.ts';
import { ConnectionBook } from './connection-book.ts';
import type { Answer, Ask, Done, OnceKind, ShareEdge, ShareSide } from './shares.ts';

/** Requests under way that an edge was let through a breaker with: beyond that, the oldest are forgotten. */
const MOST_PASSES = 100_000;
const MOST_RENEWALS = 10_000;
/** Each has at most 256 KiB. */
const MOST_KEYS = 64;

/** Keeps what the edges of a node share. Whatever one of them has counted outlives it. */
export class ShareKeeper {
  readonly #counters: SlidingCounters;
  readonly #breakers: CircuitBreakers;
  readonly #calls = new CallTurns();
  readonly #spent: SpentOnce;
  readonly #auths: AuthLimiter;
  readonly #binds: BindPaces;
  readonly #once: Readonly<Record<OnceKind, Once>>;
  readonly #edges = new Set<ShareEdge>();
  readonly #connections: ConnectionBook;

  /** @param now milliseconds of a clock that is never set back, above 0 */
  constructor(limits: GateLimits, now: () => number) {
    this.#counters = new SlidingCounters(now);
    this.#breakers = new CircuitBreakers(now);
    this.#spent = new SpentOnce(now);
    this.#auths = new AuthLimiter(now);
    this.#binds = new BindPaces(now);
    this.#once = { renewal: new Once(now, MOST_RENEWALS), keys: new Once(now, MOST_KEYS) };
    this.#connections = new ConnectionBook(limits);
  }

  /** Buckets that are kept, and that had to go while they counted. */
  get buckets(): { readonly kept: number; readonly forgotten: number } {
    return { kept: this.#counters.size, forgotten: this.#counters.forgotten };
  }

  join(edge: ShareEdge): ShareSide {
    const passes = new Map<number, BreakerPass>();
    let lastPass = 0;
    const connections = this.#connections.join(edge);
    this.#edges.add(edge);
    const enter = (pass: BreakerPass | null): Answer => {
      if (pass === null) return 0;
      lastPass += 1;
      passes.set(lastPass, pass);
      const [oldest] = passes.size > MOST_PASSES ? passes.keys() : [];
      if (oldest !== undefined) passes.delete(oldest);
      return lastPass;
    };
    const calls = this.#callsOf(edge);
    const one = (ask: Ask): Answer => {
      if (ask.kind === 'enter') return enter(this.#breakers.enter(ask.endpointId, ask.limit));
      if (ask.kind === 'call') return calls.enter(ask.id, ask.owner);
      return this.#count(ask);
    };
    return {
      answer: (asks) => asks.map(one),
      told: (told) => {
        for (const event of told) {
          switch (event.kind) {
            case 'opened':
              connections.opened(event);
              break;
            case 'closed':
              connections.closed(event.id);
              break;
            case 'left':
              passes.get(event.pass)?.leave(event.verdict);
              passes.delete(event.pass);
              break;
            case 'called':
              calls.leave(event.id);
              break;
            case 'authenticated':
              if (event.right) this.#auths.succeeded(event.ip);
              else this.#auths.failed(event.ip);
          }
        }
      },
      once: (kind, key) => this.#do(kind, key, edge),
      end: async (sessionId, until) => {
        const others = [...this.#edges].filter((other) => other !== edge);
        // Who does not answer in time has no visitors that he could let in.
        await Promise.allSettled(others.map((other) => other.ended(sessionId, until)));
      },
      gone: () => {
        this.#edges.delete(edge);
        for (const pass of passes.values()) pass.leave('unknown');
        passes.clear();
        calls.gone();
        connections.gone();
      },
    };
  }

  #callsOf(edge: ShareEdge) {
    const turns = new Map<number, Turn>();
    const leave = (id: number): void => {
      turns.get(id)?.leave();
      turns.delete(id);
    };
    return {
      enter: (id: number, owner: TurnOwner): Answer => {
        const turn = this.#calls.enter(owner, () => edge.order([{ kind: 'turn', id }]));
        if (turn === null) return 0;
        turns.set(id, turn);
        return turn.come ? 1 : -1;
      },
      leave,
      gone: () => [...turns.keys()].forEach(leave),
    };
  }

  #count(ask: Exclude<Ask, { readonly kind: 'enter' | 'call' }>): Answer {
    switch (ask.kind) {
      case 'count':
        return this.#counters.take(ask.endpointId, ask.bucket, ask.limit);
      case 'spend':
        return this.#spent.spend(ask.key, ask.forMs) ? 1 : 0;
      case 'auth':
        return this.#auths.delay(ask.ip);
      case 'bind':
        break;
    }
    return this.#binds.take(ask.account) ?? -1;
  }

  async #do(kind: OnceKind, key: string, edge: ShareEdge): Promise<Done> {
    for (;;) {
      let own = false;
      const work = (): Promise<Done> => {
        own = true;
        return edge.work(kind, key);
      };
      try {
        // oxlint-disable-next-line no-await-in-loop
        return await this.#once[kind].do(key, work, ({ keptMs }) => keptMs);
      } catch (error) {
        // Another edge has ended with it: one of those who have waited does it.
        if (own) throw error;
      }
    }
  }
}
