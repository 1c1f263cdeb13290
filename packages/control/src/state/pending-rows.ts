import type { Repository, Row, Write } from '@postern/store';
import type { Mirror } from './mirror.ts';

/** Rows of one table as they will be, while a step works out what it writes. */
export class PendingRows<R extends Row> {
  readonly #mirror: Mirror<R>;
  readonly #table: Repository<R>;
  /** null = it goes. */
  readonly #changed = new Map<string, R | null>();

  constructor(mirror: Mirror<R>, table: Repository<R>) {
    this.#mirror = mirror;
    this.#table = table;
  }

  get(id: string): R | null {
    const changed = this.#changed.get(id);
    return changed === undefined ? this.#mirror.get(id) : changed;
  }

  put(row: R): void {
    this.#changed.set(row.id, row);
  }

  drop(id: string): void {
    this.#changed.set(id, null);
  }

  /** Of the account, newest id first; [] unless there may be more than `most`. */
  beyond(accountId: string, most: number): readonly R[] {
    const coming = [...this.#changed.values()].filter((row) => row?.accountId === accountId);
    if (this.#mirror.count(accountId) + coming.length <= most) return [];
    const ids = new Set([...this.#mirror.list(accountId), ...coming.filter((row) => row !== null)].map(({ id }) => id));
    const rows = [...ids].map((id) => this.get(id)).filter((row) => row !== null);
    return rows.length <= most ? [] : rows.toSorted((a, b) => (a.id < b.id ? 1 : -1));
  }

  writes(): readonly Write[] {
    return [...this.#changed].flatMap(([id, row]) => {
      const before = this.#mirror.get(id);
      if (row === null) return before === null ? [] : [this.#table.delete(id)];
      return [before === null ? this.#table.insert(row) : this.#table.update(id, changesOf(before, row))];
    });
  }
}

function changesOf<R extends Row>(before: R, after: R): Partial<R> {
  const entries = Object.entries(after);
  const was = new Map(Object.entries(before));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- members of the row, with its own values
  return Object.fromEntries(entries.filter(([name, value]) => was.get(name) !== value)) as Partial<R>;
}
