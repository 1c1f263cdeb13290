/** One step at a time, in order of arrival: the node's claim step (docs/design.md §2, One authority for claims). */
export class Mutex {
  #tail: Promise<unknown> = Promise.resolve();

  /** Runs `step` after every earlier one has settled; a failing step fails its own caller only. */
  run<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(step);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
