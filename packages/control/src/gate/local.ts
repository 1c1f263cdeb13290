/**
 * The claim step of one node: what takes, moves or frees an address runs in here, and two steps that may get in each
 * other's way run one after the other, in the order in which they came. Steps of different names run side by side, so
 * that their commits share an fsync, and a step that hangs on the disk holds up its own names only.
 */

/** What a step needs for itself alone, and what it must not see change while it runs. */
export interface StepKeys {
  readonly alone: readonly string[];
  readonly shared: readonly string[];
}

interface KeyState {
  /** The last step that has the key alone. */
  alone: Promise<unknown> | null;
  /** Those that share it since. */
  shared: Set<Promise<unknown>>;
}

export class LocalGate {
  readonly #keys = new Map<string, KeyState>();
  /** The last step that had everything alone. */
  #everything: Promise<unknown> | null = null;
  readonly #running = new Set<Promise<unknown>>();

  /** Runs `step` when no earlier one needs any of the keys; a step that fails fails its own caller only. */
  run<T>(keys: StepKeys, step: () => Promise<T>): Promise<T> {
    const before: (Promise<unknown> | null)[] = [this.#everything];
    for (const key of keys.alone) {
      const state = this.#keys.get(key);
      if (state !== undefined) before.push(state.alone, ...state.shared);
    }
    for (const key of keys.shared) before.push(this.#keys.get(key)?.alone ?? null);
    const { result, settled } = start(before, step);
    for (const key of keys.alone) this.#keys.set(key, { alone: settled, shared: new Set() });
    for (const key of keys.shared) this.#share(key, settled);
    this.#track(settled, [...keys.alone, ...keys.shared]);
    return result;
  }

  /** Runs `step` alone: behind every earlier one, before every later one. */
  runAlone<T>(step: () => Promise<T>): Promise<T> {
    const { result, settled } = start([this.#everything, ...this.#running], step);
    this.#everything = settled;
    this.#track(settled, []);
    return result;
  }

  #share(key: string, step: Promise<unknown>): void {
    const state = this.#keys.get(key);
    if (state === undefined) this.#keys.set(key, { alone: null, shared: new Set([step]) });
    else state.shared.add(step);
  }

  #track(step: Promise<unknown>, keys: readonly string[]): void {
    this.#running.add(step);
    void step.then(() => this.#forget(step, keys));
  }

  /** A step that is over, and keys that nobody needs any more. */
  #forget(step: Promise<unknown>, keys: readonly string[]): void {
    this.#running.delete(step);
    if (this.#everything === step) this.#everything = null;
    for (const key of keys) {
      const state = this.#keys.get(key);
      if (state === undefined) continue;
      state.shared.delete(step);
      if (state.alone === step) state.alone = null;
      if (state.alone === null && state.shared.size === 0) this.#keys.delete(key);
    }
  }
}

function start<T>(before: readonly (Promise<unknown> | null)[], step: () => Promise<T>) {
  // What came before never rejects: it is there to be waited for.
  const result = Promise.all(before.filter((earlier) => earlier !== null)).then(step);
  return { result, settled: result.then(ignore, ignore) };
}

function ignore(): void {}
