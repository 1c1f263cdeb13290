/** Ids whose late frames are dropped in silence, because one RST was sent already. */
export const REMEMBERED_RESETS = 1024;

/** Ids of late, the oldest forgotten first. */
export class RecentIds {
  readonly #most: number;
  /** null = there have been none. */
  #ids: Set<number> | null = null;

  constructor(most: number) {
    this.#most = most;
  }

  has(id: number): boolean {
    return this.#ids?.has(id) === true;
  }

  add(id: number): void {
    const ids = (this.#ids ??= new Set());
    ids.add(id);
    if (ids.size <= this.#most) return;
    for (const oldest of ids) {
      ids.delete(oldest);
      return;
    }
  }

  delete(id: number): void {
    this.#ids?.delete(id);
  }
}
