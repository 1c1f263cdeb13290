/**
 * The places (streams) of one agent session, and who gets the next one.
 *
 * - A free place goes to who comes, unless others wait for it already.
 * - None free: one with nothing under way is taken back; then uploads that trickle and silent connections of a network
 *   that holds more than its share; then one waits, in turn (fair-queue.ts), and is refused after `queueMs`.
 * - Who is let in opens the stream within that call: nobody can come between, and who does not need the place any more
 *   leaves it to the next one.
 * - One network never has all of it: an eighth is kept for others, a quarter for what is short.
 */
import { fail, type PosternError } from '@postern/errors';
import type { TimerHandle, TimerWheel } from '../context.ts';
import { FairQueue, type Queued } from './fair-queue.ts';
import { type Holding, Place, type PlaceClaim, type PlaceWait, type Reclaimer } from './place.ts';

/** Smaller sessions are not divided. */
const LEAST_DIVIDED = 32;
/** How often it is looked again whether something can be taken back, while somebody waits. */
const LOOK_MS = 500;
/** For how many of those who wait. */
const LOOK_FOR = 32;

/** The session whose places they are. */
export interface PlacesOwner {
  readonly id: string;
  /** `streamCount` is of streams of any kind. */
  readonly mux: { readonly streamCount: number };
}

/** The same for all sessions. */
export interface SessionPlacesOptions {
  readonly queueMs: number;
  readonly wheel: TimerWheel;
  readonly reclaimers: readonly Reclaimer[];
  readonly counts: PlaceCounts;
  /** A mistake of ours while others were served: theirs to report, and nobody else's end. */
  readonly onFault: (error: unknown) => void;
}

/** Since the start, for metrics. */
export interface PlaceCounts {
  refused: number;
  reclaimed: number;
}

interface Waiter extends Queued, PlaceWait {
  readonly onPlace: (error: PosternError | null) => void;
  readonly timer: TimerHandle;
}

export class SessionPlaces {
  readonly limit: number;
  readonly #owner: PlacesOwner;
  readonly #options: SessionPlacesOptions;
  readonly #most: number;
  readonly #mostLong: number;
  /** null = no visitor has come. */
  #holdings: Map<string, Holding> | null = null;
  readonly #queue = new FairQueue<Waiter>();
  /** Nobody who waits could use what is free: all are at the bound of their network. */
  #onlyBound = false;
  #granting = false;
  #look: TimerHandle | null = null;
  #closed = false;

  /** @param limit how many streams the agent bears */
  constructor(owner: PlacesOwner, limit: number, options: SessionPlacesOptions) {
    this.#owner = owner;
    this.#options = options;
    this.limit = limit;
    const divided = limit >= LEAST_DIVIDED;
    this.#most = limit - (divided ? Math.floor(limit / 8) : 0);
    this.#mostLong = limit - (divided ? Math.floor(limit / 4) : 0);
  }

  get free(): number {
    return Math.max(0, this.limit - this.#owner.mux.streamCount);
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** Whether who comes now can have a place at once. */
  canEnter(claim: PlaceClaim): boolean {
    if (this.#closed || this.free === 0) return false;
    return (this.#queue.size === 0 || this.#onlyBound) && !this.#atBound(claim);
  }

  /** Enters who was let in. */
  enter(claim: PlaceClaim): Place {
    const holdings = (this.#holdings ??= new Map());
    let holding = holdings.get(claim.network);
    if (holding === undefined) {
      holding = { network: claim.network, busy: 0, long: 0, idle: 0 };
      holdings.set(claim.network, holding);
    }
    return new Place(this.#owner.id, holding, claim.long);
  }

  /** A stream of the session is over; `place` if it was a visitor's. */
  left(place: Place | null): void {
    if (place !== null) {
      place.leave();
      const { holding } = place;
      if (holding.busy + holding.idle === 0) this.#holdings?.delete(holding.network);
    }
    this.#mayGrant();
  }

  /**
   * Waits for a turn.
   * @param onPlace runs once: with null when a stream can be opened, in that call and not later; with 743 after
   *   `queueMs`; with null also when the session is over, which opening then tells
   */
  wait(claim: PlaceClaim, onPlace: (error: PosternError | null) => void): PlaceWait {
    const waiter: Waiter = {
      network: claim.network,
      endpointId: claim.endpointId,
      long: claim.long,
      onPlace,
      timer: this.#options.wheel.schedule(this.#options.queueMs, () => this.#refuse(waiter)),
      cancel: () => {
        waiter.timer.cancel();
        this.#queue.remove(waiter);
      },
    };
    if (this.#atBound(claim)) {
      this.#onlyBound ||= this.#queue.size === 0;
      this.#queue.add(waiter);
      this.#askElsewhere();
    } else {
      this.#queue.add(waiter);
      this.#reclaimFor(waiter);
      this.#mayGrant();
    }
    this.#look ??= this.#options.wheel.schedule(LOOK_MS, this.#lookAgain);
    return waiter;
  }

  /** The session is over. */
  close(): void {
    this.#closed = true;
    this.#look?.cancel();
    for (const waiter of this.#queue.drain()) {
      waiter.timer.cancel();
      this.#tell(waiter, null);
    }
  }

  #tell(waiter: Waiter, refused: PosternError | null): void {
    try {
      waiter.onPlace(refused);
    } catch (error) {
      this.#options.onFault(error);
    }
  }

  /** Lets in whoever can go, behind what runs now: streams end in the middle of other work. */
  #mayGrant(): void {
    if (this.#granting || this.#closed || this.#queue.size === 0) return;
    this.#granting = true;
    this.#onlyBound = false;
    queueMicrotask(this.#grant);
  }

  readonly #grant = (): void => {
    this.#granting = false;
    while (!this.#closed && this.free > 0) {
      const waiter = this.#queue.take(this.#mayGo);
      if (waiter === null) {
        this.#onlyBound = this.#queue.size > 0;
        return;
      }
      waiter.timer.cancel();
      this.#tell(waiter, null);
    }
  };

  readonly #mayGo = (waiter: Waiter): boolean => !this.#atBound(waiter);

  #atBound({ network, long }: Queued): boolean {
    const holding = this.#holdings?.get(network);
    if (holding === undefined) return false;
    return holding.busy >= this.#most || (long && holding.long >= this.#mostLong);
  }

  #refuse(waiter: Waiter): void {
    if (!this.#queue.remove(waiter)) return;
    this.#options.counts.refused += 1;
    const seconds = Math.round(this.#options.queueMs / 100) / 10;
    this.#tell(waiter, fail(743, { limit: this.limit, seconds }));
  }

  #askElsewhere(): void {
    for (const reclaimer of this.#options.reclaimers) reclaimer.elsewhere?.(this.#owner.id);
  }

  #reclaimFor(waiter: Waiter): void {
    try {
      this.#reclaim(waiter);
    } catch (error) {
      this.#options.onFault(error);
    }
  }

  #reclaim(waiter: Waiter): void {
    const { reclaimers, counts } = this.#options;
    const sessionId = this.#owner.id;
    // Streams of our own, as heartbeats, may have taken the session beyond its limit.
    let due = 1 + Math.max(0, this.#owner.mux.streamCount - this.limit);
    for (const reclaimer of reclaimers) {
      while (due > 0 && reclaimer.idle(sessionId)) {
        due -= 1;
        counts.reclaimed += 1;
      }
    }
    if (due === 0) return;
    const share = this.#share(waiter.network);
    const mine = this.#holdings?.get(waiter.network)?.busy ?? 0;
    const beyondShare = (network: string): boolean =>
      mine < share && network !== waiter.network && (this.#holdings?.get(network)?.busy ?? 0) > share;
    for (const reclaimer of reclaimers) {
      if (!reclaimer.slow(sessionId, beyondShare)) continue;
      counts.reclaimed += 1;
      return;
    }
  }

  /** What each network may hold when all want as much as they can get. */
  #share(network: string): number {
    const networks = (this.#holdings?.size ?? 0) + (this.#holdings?.has(network) === true ? 0 : 1);
    return Math.max(1, Math.floor(this.limit / networks));
  }

  readonly #lookAgain = (): void => {
    this.#look = null;
    if (this.#closed || this.#queue.size === 0) return;
    this.#askElsewhere();
    let looked = 0;
    for (const waiter of this.#queue) {
      if (++looked > LOOK_FOR) break;
      if (!this.#atBound(waiter) && this.free === 0) this.#reclaimFor(waiter);
    }
    this.#look = this.#options.wheel.schedule(LOOK_MS, this.#lookAgain);
    this.#mayGrant();
  };
}
