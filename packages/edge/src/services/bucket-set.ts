/**
 * The buckets of one limit of one endpoint, by key and by when they were asked last. A list of their own, as the first
 * entry of a Map is found behind all that were deleted before it.
 */
import type { CountLimit } from '@postern/policy';
import { SlidingCount, type SlidingWindow } from './sliding-count.ts';

/** Buckets that are passed over before one goes whatever it has counted: what a new one may cost. */
const MOST_LOOKS = 16;
const MOST_CHANCES = 64;

export class Bucket extends SlidingCount {
  readonly key: string;
  /** How often it is passed over when one has to go. */
  chances = 0;
  older: Bucket | null = null;
  newer: Bucket | null = null;

  constructor(key: string, now: number, window: SlidingWindow) {
    super(now, window);
    this.key = key;
  }
}

export class BucketSet {
  readonly limit: CountLimit;
  readonly #byKey = new Map<string, Bucket>();
  #oldest: Bucket | null = null;
  #newest: Bucket | null = null;

  constructor(limit: CountLimit) {
    this.limit = limit;
  }

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): Bucket | undefined {
    return this.#byKey.get(key);
  }

  add(key: string, now: number): Bucket {
    const bucket = new Bucket(key, now, this.limit);
    this.#byKey.set(key, bucket);
    this.#append(bucket);
    return bucket;
  }

  remove(bucket: Bucket): void {
    this.#byKey.delete(bucket.key);
    this.#unlink(bucket);
  }

  /** Counts in one that is here. @param capacity as the policy has it now */
  take(bucket: Bucket, now: number, capacity: number): number {
    this.#renew(bucket);
    const wait = bucket.take(now, capacity, this.limit);
    if (wait === 0) bucket.chances = Math.min(bucket.total - 1, MOST_CHANCES);
    return wait;
  }

  /** One whose events have all left the window, if the one asked longest ago is so. */
  over(now: number): Bucket | null {
    return this.#oldest?.isOver(now, this.limit) === true ? this.#oldest : null;
  }

  /** Who goes when one has to: the oldest that has used up its chances. */
  leastNeeded(now: number): Bucket | null {
    for (let looks = 0; ; looks++) {
      const bucket = this.#oldest;
      if (bucket === null || bucket.chances === 0 || looks === MOST_LOOKS || bucket.isOver(now, this.limit)) {
        return bucket;
      }
      bucket.chances--;
      this.#renew(bucket);
    }
  }

  #renew(bucket: Bucket): void {
    if (bucket === this.#newest) return;
    this.#unlink(bucket);
    this.#append(bucket);
  }

  #append(bucket: Bucket): void {
    bucket.older = this.#newest;
    if (this.#newest === null) this.#oldest = bucket;
    else this.#newest.newer = bucket;
    this.#newest = bucket;
  }

  #unlink(bucket: Bucket): void {
    const { older, newer } = bucket;
    if (older === null) this.#oldest = newer;
    else older.newer = newer;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    bucket.older = null;
    bucket.newer = null;
  }
}
