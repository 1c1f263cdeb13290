/**
 * What policies count, for all endpoints. Visitors choose what buckets there are (a header's value may be one), so their
 * number is bounded, and this is what holds against somebody who makes many to have his own forgotten:
 *
 * - room is taken from the endpoint, and in it from the set, that holds most: no rule's buckets push out another's for more
 *   than their share, and whoever can make buckets without end in one set has no use for a single one of them;
 * - what is over goes first: some are looked at for each new one, so that no timer is needed;
 * - then what has not been asked for longest, and it is passed over as often as it has counted events (up to 64): a count
 *   of fifty is lost to fifty times as many new buckets as a count of one.
 *
 * A bucket costs 0.2 KB, and up to 0.8 with a long key and events in several slices: 160 MB for all of them, at worst.
 */
import type { Counters, CountLimit } from '@postern/policy';
import { BucketSet, type Bucket } from './bucket-set.ts';
import { Fullest } from './fullest.ts';

export interface CounterBounds {
  readonly perEndpoint: number;
  readonly all: number;
}

const BOUNDS: CounterBounds = { perEndpoint: 10_000, all: 200_000 };
/** Of a set, for each new bucket. */
const SWEPT = 2;

class Owner {
  readonly id: string;
  readonly sets = new Map<string, BucketSet>();
  readonly fullest = new Fullest<BucketSet>();
  size = 0;

  constructor(id: string) {
    this.id = id;
  }
}

export class SlidingCounters implements Counters {
  /** Buckets that are kept. */
  size = 0;
  /** Buckets that had to go while they counted. */
  forgotten = 0;
  readonly #now: () => number;
  readonly #bounds: CounterBounds;
  readonly #owners = new Map<string, Owner>();
  readonly #fullest = new Fullest<Owner>();
  readonly #sets = new Map<BucketSet, Owner>();
  /** Goes round the sets. */
  #hand: Iterator<[BucketSet, Owner]>;

  /** @param now milliseconds of a clock that is never set back, or limits would last until it has caught up */
  constructor(now: () => number, bounds: CounterBounds = BOUNDS) {
    this.#now = now;
    this.#bounds = bounds;
    this.#hand = this.#sets.entries();
  }

  take(endpointId: string, key: string, limit: CountLimit): number {
    const now = this.#now();
    const owner = this.#owners.get(endpointId);
    const set = owner?.sets.get(limit.set);
    const known = set?.get(key);
    if (set !== undefined && known !== undefined) return set.take(known, now, limit.capacity);
    if (owner !== undefined && set !== undefined) this.#sweep(owner, set, now);
    this.#sweepNext(now);
    this.#makeRoom(endpointId, now);
    return this.#first(endpointId, key, limit, now);
  }

  #first(endpointId: string, key: string, limit: CountLimit, now: number): number {
    let owner = this.#owners.get(endpointId);
    if (owner === undefined) this.#owners.set(endpointId, (owner = new Owner(endpointId)));
    let set = owner.sets.get(limit.set);
    if (set === undefined) {
      owner.sets.set(limit.set, (set = new BucketSet(limit)));
      this.#sets.set(set, owner);
    }
    const bucket = set.add(key, now);
    this.#resized(owner, set, 1);
    return set.take(bucket, now, limit.capacity);
  }

  #remove(owner: Owner, set: BucketSet, bucket: Bucket): void {
    set.remove(bucket);
    this.#resized(owner, set, -1);
    if (set.size > 0) return;
    this.#sets.delete(set);
    owner.sets.delete(set.limit.set);
    if (owner.size === 0) this.#owners.delete(owner.id);
  }

  #resized(owner: Owner, set: BucketSet, by: 1 | -1): void {
    owner.fullest.resize(set, set.size - by, set.size);
    this.#fullest.resize(owner, owner.size, owner.size + by);
    owner.size += by;
    this.size += by;
  }

  #makeRoom(endpointId: string, now: number): void {
    const own = this.#owners.get(endpointId);
    if (own !== undefined && own.size >= this.#bounds.perEndpoint) this.#forget(own, now);
    else if (this.size >= this.#bounds.all) this.#forget(this.#fullest.get(), now);
  }

  #forget(owner: Owner | undefined, now: number): void {
    const set = owner?.fullest.get();
    const bucket = set?.leastNeeded(now) ?? null;
    if (owner === undefined || set === undefined || bucket === null) return;
    if (!bucket.isOver(now, set.limit)) this.forgotten++;
    this.#remove(owner, set, bucket);
  }

  /** A set that nobody asks for any more is found when others grow. */
  #sweepNext(now: number): void {
    let next = this.#hand.next();
    if (next.done === true) {
      this.#hand = this.#sets.entries();
      next = this.#hand.next();
    }
    if (next.done === true) return;
    const [set, owner] = next.value;
    this.#sweep(owner, set, now);
  }

  #sweep(owner: Owner, set: BucketSet, now: number): void {
    for (let swept = 0; swept < SWEPT; swept++) {
      const bucket = set.over(now);
      if (bucket === null) return;
      this.#remove(owner, set, bucket);
    }
  }
}
