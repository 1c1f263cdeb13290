/**
 * Names that agents served when the last server ended: for as long as agents need to come back, a visitor is told to try
 * again, and not that nothing is there.
 */
import { type ExpectedName, isWaiting, nameKey, type NamedScheme, type RouteUpdate } from '@postern/link';
import type { InternalAddress } from '@postern/policy';
import type { ReturningNames } from '../context.ts';
import { wildcardsOver } from './host-map.ts';

export class Returning implements ReturningNames {
  readonly #now: () => number;
  readonly #expected: Map<string, ExpectedName>;
  /** Until when those are expected that were told last. */
  #newest = 0;

  /** @param now Unix milliseconds */
  constructor(expected: readonly ExpectedName[], now: () => number) {
    this.#now = now;
    this.#expected = new Map(expected.map((name) => [nameKey(name), name]));
  }

  /** Whether the public name, which has no route now, is expected back. */
  expects(proto: NamedScheme, host: string): boolean {
    if (this.#expected.size === 0) return false;
    return this.#find(host, (pattern) => nameKey({ binding: 'public', accountId: '', proto, host: pattern, port: 0 }));
  }

  /** The same for an internal endpoint. */
  expectsInternal(accountId: string, { scheme, host, port }: InternalAddress): boolean {
    if (this.#expected.size === 0) return false;
    return this.#find(host, (pattern) =>
      nameKey({ binding: 'internal', accountId, proto: scheme, host: pattern, port }),
    );
  }

  /** Names that were lost since; those that have come back meanwhile are not expected anew when they are told again. */
  expect(names: readonly ExpectedName[]): void {
    const since = this.#newest;
    for (const name of names) {
      if (name.until <= since) continue;
      this.#newest = Math.max(this.#newest, name.until);
      this.#expected.set(nameKey(name), name);
    }
  }

  /** An update has been applied to the routes: what is there, all of it, is not expected any more. */
  applied({ upserts }: Pick<RouteUpdate, 'upserts'>): void {
    if (this.#expected.size === 0) return;
    for (const endpoint of upserts) if (!isWaiting(endpoint)) this.#expected.delete(nameKey(endpoint));
  }

  #find(host: string, key: (host: string) => string): boolean {
    if (this.#has(key(host))) return true;
    for (const pattern of wildcardsOver(host)) if (this.#has(key(pattern))) return true;
    return false;
  }

  #has(key: string): boolean {
    const name = this.#expected.get(key);
    if (name === undefined) return false;
    if (name.until > this.#now()) return true;
    this.#expected.delete(key);
    return false;
  }
}
