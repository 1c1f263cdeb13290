/** Ids whose late frames are dropped in silence, because one RST was sent already. */
export const REMEMBERED_RESETS = 1024;

/** Ids of late, the oldest forgotten first. */
export class RecentIds {
  readonly #most: number;
  readonly #ids = new Set<number>();

  constructor(most: number) {
    this.#most = most;
  }

  has(id: number): boolean {
    return this.#ids.has(id);
  }

  add(id: number): void {
    this.#ids.add(id);
    if (this.#ids.size <= this.#most) return;
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest);
      return;
    }
  }

  delete(id: number): void {
    this.#ids.delete(id);
  }
}
