import type { BreakerPass } from '@postern/policy';
import type { GateLimits } from '../listeners/gate.ts';
import { CircuitBreakers } from '../services/breakers.ts';
import { SlidingCounters } from '../services/counters.ts';
import { Once } from '../services/once.ts';
import { SpentOnce } from '../services/spent.ts';
import { ConnectionBook } from './connection-book.ts';
import type { Answer, Ask, Done, OnceKind, ShareEdge, ShareSide, Told } from './shares.ts';

/** Requests under way that an edge was let through a breaker with: beyond that, the oldest are forgotten. */
const MOST_PASSES = 100_000;
const MOST_RENEWALS = 10_000;

/** Keeps what the edges of a node share. Whatever one of them has counted outlives it. */
export class ShareKeeper {
  readonly #counters: SlidingCounters;
  readonly #breakers: CircuitBreakers;
  readonly #spent: SpentOnce;
  readonly #once: Readonly<Record<OnceKind, Once>>;
  readonly #edges = new Set<ShareEdge>();
  readonly #connections: ConnectionBook;

  /** @param now milliseconds of a clock that is never set back, above 0 */
  constructor(limits: GateLimits, now: () => number) {
    this.#counters = new SlidingCounters(now);
    this.#breakers = new CircuitBreakers(now);
    this.#spent = new SpentOnce(now);
    this.#once = { renewal: new Once(now, MOST_RENEWALS) };
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
    const one = (ask: Ask): Answer => {
      if (ask.kind === 'count') return this.#counters.take(ask.endpointId, ask.bucket, ask.limit);
      if (ask.kind === 'spend') return this.#spent.spend(ask.key, ask.forMs) ? 1 : 0;
      return enter(this.#breakers.enter(ask.endpointId, ask.limit));
    };
    return {
      answer: (asks) => asks.map(one),
      told(told: readonly Told[]) {
        for (const event of told) {
          if (event.kind === 'opened') connections.opened(event);
          else if (event.kind === 'closed') connections.closed(event.id);
          else {
            passes.get(event.pass)?.leave(event.verdict);
            passes.delete(event.pass);
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
        connections.gone();
      },
    };
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
