/**
 * What holds for all edges of a node together, counted once: buckets of `rate-limit`, circuit breakers, connections, what
 * agents ask for, what may be used once, what has to be done once. One process keeps it (`keeper.ts`); each edge asks over the channel between the two (`asking.ts`), once in a turn of its
 * loop at most. Everything here is plain data.
 */
import type { BreakerLimit, BreakerPass, CountLimit } from '@postern/policy';
import type { TurnOwner } from '../http/policy/call-turns.ts';

/** A connection of an edge, by the number that the edge has given it. */
export interface CountedAt {
  readonly edge: string;
  readonly id: number;
}

/** A question that is answered. */
export type Ask =
  | { readonly kind: 'count'; readonly endpointId: string; readonly bucket: string; readonly limit: CountLimit }
  | { readonly kind: 'enter'; readonly endpointId: string; readonly limit: BreakerLimit }
  | { readonly kind: 'call'; readonly id: number; readonly owner: TurnOwner }
  | { readonly kind: 'spend'; readonly key: string; readonly forMs: number }
  | { readonly kind: 'auth'; readonly ip: string }
  | { readonly kind: 'bind'; readonly account: string };

/**
 * In the order of the questions. For `count` what `Counters.take` says; for `enter` the pass's number, 0 = none may pass;
 * for `call` 1 = its turn has come, 0 = there are too many, -1 = it waits, and is told when it comes; for `spend` 1 = it was not spent before, else 0; for `auth` and `bind` what `AuthDelays.delay` and `BindTurns.take` say,
 * -1 = none is given.
 */
export type Answer = number;

/** Something that has happened. */
export type Told =
  | { readonly kind: 'left'; readonly pass: number; readonly verdict: Parameters<BreakerPass['leave']>[0] }
  | {
      readonly kind: 'opened';
      readonly id: number;
      readonly listener: string;
      readonly network: string;
      /** Many visitors': it counts in the whole only. */
      readonly exempt: boolean;
      /** It comes from another edge, where it is counted; null = it is new. */
      readonly from: CountedAt | null;
    }
  | { readonly kind: 'closed'; readonly id: number }
  /** A call is over, whether its turn had come or not. */
  | { readonly kind: 'called'; readonly id: number }
  /** Whether an agent's log-in was right. */
  | { readonly kind: 'authenticated'; readonly ip: string; readonly right: boolean };

/** What an edge is told of what it has. */
export type Order =
  /** Of a call that waits: its turn has come. */
  | { readonly kind: 'turn'; readonly id: number }
  /** It was one too many: ends it. */
  | { readonly kind: 'revoke'; readonly id: number }
  /** Whether a listener may take more: of a network, or at all (''). */
  | { readonly kind: 'full'; readonly listener: string; readonly network: string; readonly full: boolean };

/** What is done once for all edges: asking a provider again who the visitor of a session is, fetching a set of keys. */
export type OnceKind = 'renewal' | 'keys';

/** What came of something that is done once. */
export interface Done {
  /** Plain data. */
  readonly result: unknown;
  /** How long it is for those who ask later, too. */
  readonly keptMs: number;
}

/** How an edge reaches the keeper. */
export interface ShareChannel {
  ask(asks: readonly Ask[]): Promise<readonly Answer[]>;
  tell(told: readonly Told[]): void;
  /** Done by the edge that asks first: `work` is asked of it meanwhile. Rejects when it is this edge's, and fails. */
  once(kind: OnceKind, key: string): Promise<Done>;
  /** A session of a visitor is over. Resolves when the other edges know, or do not answer. @param until Unix milliseconds */
  end(sessionId: string, until: number): Promise<void>;
}

/** How the keeper reaches an edge. Whoever does not answer in time rejects. */
export interface ShareEdge {
  /** Unlike that of any other. */
  readonly name: string;
  order(orders: readonly Order[]): void;
  work(kind: OnceKind, key: string): Promise<Done>;
  ended(sessionId: string, until: number): Promise<void>;
}

/** The keeper's side of one edge. */
export interface ShareSide {
  answer(asks: readonly Ask[]): readonly Answer[];
  told(told: readonly Told[]): void;
  once(kind: OnceKind, key: string): Promise<Done>;
  end(sessionId: string, until: number): Promise<void>;
  /** The edge is gone, and all of its connections. */
  gone(): void;
}
