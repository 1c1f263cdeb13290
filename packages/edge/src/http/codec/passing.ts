/**
 * Maps and sets of what comes and goes with each request. Those of the language get a new table every few entries, and
 * the one before points to it, and to what was in it when it was left: once a table has grown old, each later one stays
 * until the next full collection, and with it every other stream that there ever was. These are short lists, which leave
 * nothing behind.
 *
 * The runtime's HTTP/2 sessions get them, too (docs/performance.md): its own have the same fault. Its fields are used
 * when they are what is expected, and left alone otherwise.
 */
import type { Http2Session } from 'node:http2';

export class PassingMap<K, V> extends Map<K, V> {
  readonly #keys: K[] = [];
  readonly #values: V[] = [];

  override get size(): number {
    return this.#keys.length;
  }

  override has(key: K): boolean {
    return this.#keys.includes(key);
  }

  override get(key: K): V | undefined {
    const at = this.#keys.indexOf(key);
    return at === -1 ? undefined : this.#values[at];
  }

  override set(key: K, value: V): this {
    const at = this.#keys.indexOf(key);
    if (at === -1) {
      this.#keys.push(key);
      this.#values.push(value);
    } else this.#values[at] = value;
    return this;
  }

  override delete(key: K): boolean {
    const at = this.#keys.indexOf(key);
    if (at === -1) return false;
    takeOut(this.#keys, at);
    takeOut(this.#values, at);
    return true;
  }

  override clear(): void {
    this.#keys.length = 0;
    this.#values.length = 0;
  }

  /** As they are now: what happens to the map meanwhile changes nothing. */
  override forEach(callback: (value: V, key: K, map: Map<K, V>) => void): void {
    for (const [key, value] of this) callback(value, key, this);
  }

  override *entries(): MapIterator<[K, V]> {
    const values = [...this.#values];
    for (const [at, key] of [...this.#keys].entries()) {
      const value = values[at];
      if (value !== undefined) yield [key, value];
    }
    return undefined;
  }

  override keys(): MapIterator<K> {
    return [...this.#keys].values();
  }

  override values(): MapIterator<V> {
    return [...this.#values].values();
  }

  override [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }
}

export class PassingSet<T> extends Set<T> {
  readonly #members: T[] = [];

  override get size(): number {
    return this.#members.length;
  }

  override has(member: T): boolean {
    return this.#members.includes(member);
  }

  override add(member: T): this {
    if (!this.#members.includes(member)) this.#members.push(member);
    return this;
  }

  override delete(member: T): boolean {
    const at = this.#members.indexOf(member);
    if (at === -1) return false;
    takeOut(this.#members, at);
    return true;
  }

  override clear(): void {
    this.#members.length = 0;
  }

  override forEach(callback: (value: T, again: T, set: Set<T>) => void): void {
    for (const member of this) callback(member, member, this);
  }

  override *entries(): SetIterator<[T, T]> {
    for (const member of this) yield [member, member];
    return undefined;
  }

  /** As they are now, but for those who have gone meanwhile. */
  override *values(): SetIterator<T> {
    for (const member of this.#members.slice()) if (this.#members.includes(member)) yield member;
    return undefined;
  }

  override keys(): SetIterator<T> {
    return this.values();
  }

  override [Symbol.iterator](): SetIterator<T> {
    return this.values();
  }
}

/** Before it has streams. @returns whether the runtime is as expected */
export function keepStreamsPassing(session: Http2Session): boolean {
  const name = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'state');
  const state: unknown = name === undefined ? undefined : Reflect.get(session, name);
  if (typeof state !== 'object' || state === null) return false;
  if (!isEmpty(Reflect.get(state, 'streams')) || !isEmpty(Reflect.get(state, 'pendingStreams'))) return false;
  Reflect.set(state, 'streams', new PassingMap());
  Reflect.set(state, 'pendingStreams', new PassingSet());
  return true;
}

/** The runtime's are neither `Map` nor `Set` by their prototypes. */
function isEmpty(table: unknown): boolean {
  return typeof table === 'object' && table !== null && Reflect.get(table, 'size') === 0;
}

/** The last one gets its place. */
function takeOut(list: unknown[], at: number): void {
  const last = list.pop();
  if (last !== undefined && at < list.length) list[at] = last;
}
