/**
 * What plain resources have in common, so that each is its definition (`@postern/resources`) and a file of hooks here:
 *
 * - a row of another account does not exist;
 * - texts have the limits and errors of the definition; an update that names nothing is refused with its number, or
 *   changes nothing;
 * - what an update does not name stays as it is, and two updates of one row do not undo each other;
 * - a row that others rest on is not deleted;
 * - every change is one step of the gate, and goes to the edges that it concerns.
 *
 * Edges have kinds and rows below them, endpoints are of three sources, tunnels and their sessions are nobody's rows:
 * those are written out.
 */
import type { PosternError } from '@postern/errors';
import type { Fields, InputOf, Resource, ViewOf } from '@postern/resources';
import type { Repository, Row, Write } from '@postern/store';
import { type ALONE, type KeysOf, run } from '../change/change.ts';
import { settle } from '../change/confirm.ts';
import { type Decision, unchanged } from '../change/value.ts';
import type { Core } from '../core.ts';
import { checkTexts, isEmptyPatch, refuseEmpty } from '../texts.ts';
import type { ResourceService } from '../types.ts';
import { summarise } from '../users.ts';
import { pageOf, type Rows, storedRows } from './paging.ts';

type Create<Fs extends Fields> = InputOf<Fs, 'create'>;
type Update<Fs extends Fields> = InputOf<Fs, 'update'>;
type Needed = KeysOf | typeof ALONE;

/** What a create call comes to. */
interface Made<R, View> {
  readonly row: R;
  /** The row was there before the call, which takes it over with these fields. */
  readonly patch?: Partial<R>;
  /** What the answer of this call shows, and no later one. */
  readonly once?: Partial<View>;
}

/** What goes with a row. */
interface Farewell {
  readonly writes?: readonly Write[];
  readonly afterwards: () => Promise<void>;
}

interface Plain<Fs extends Fields, R extends Row> {
  readonly definition: Resource<Fs>;
  readonly table: Repository<R>;
  /** Where rows are read; the store if a mirror does not have them. */
  readonly rows?: Rows<R>;
  /** What the steps need for themselves; a change its row alone, a create call nothing, unless said here. */
  readonly keys?: { readonly create: (input: Create<Fs>) => Needed; readonly change: (id: string) => Needed };
  /** @throws what is wrong with what was given, but for the definition's limits */
  readonly check?: (input: Create<Fs> | Update<Fs>) => void;
  /** The row of a create call, inside its step. */
  readonly make: (head: Row, input: Create<Fs>) => Made<R, ViewOf<Fs>> | Promise<Made<R, ViewOf<Fs>>>;
  /** What an update writes. */
  readonly change: (patch: Update<Fs>) => Partial<R>;
  /** How rows are shown. Asked once for a page, so that what all rows need is looked up once. */
  readonly viewer: (accountId: string) => Viewer<R, Fs> | Promise<Viewer<R, Fs>>;
  /** Who rests on a row, in words, and what refuses to delete it then. */
  readonly usedBy?: {
    readonly users: (row: R) => readonly string[] | Promise<readonly string[]>;
    readonly error: (row: R, users: string) => PosternError;
  };
  /** After an update that holds. */
  readonly changed?: (before: R, after: R) => Promise<void>;
  /** Inside the step that deletes the row. */
  readonly farewell?: (row: R) => Farewell | Promise<Farewell>;
}

type Viewer<R, Fs extends Fields> = (row: R) => ViewOf<Fs> | Promise<ViewOf<Fs>>;

const OWN_ROW = {
  create: (): KeysOf => (keys) => keys,
  change:
    (id: string): KeysOf =>
    (keys) =>
      keys.id(id),
};
const NO_FAREWELL: Farewell = { afterwards: async () => {} };

export function crud<Fs extends Fields, R extends Row>(
  core: Core,
  plain: Plain<Fs, R>,
): ResourceService<ViewOf<Fs>, Create<Fs>, Update<Fs>> {
  const { definition, table, rows = storedRows(table), keys = OWN_ROW, usedBy } = plain;

  const show = async (row: R): Promise<ViewOf<Fs>> => (await plain.viewer(row.accountId))(row);

  async function step<T>(needed: Needed, decide: () => Promise<Decision<T>>): Promise<T> {
    const done = await run(core, needed, decide);
    await settle(core, done.online);
    return done.answer;
  }

  return {
    async create({ accountId }, input) {
      checkTexts(definition, input);
      plain.check?.(input);
      const { row, once } = await step(keys.create(input), async () => {
        const id = core.ids.next(definition.idPrefixes[0]);
        const made = await plain.make({ id, accountId, createdAt: core.timestamp() }, input);
        const write = made.patch === undefined ? table.insert(made.row) : table.update(made.row.id, made.patch);
        return { answer: made, writes: [write], registry: [] };
      });
      return { ...(await show(row)), ...once };
    },

    async get({ accountId }, id) {
      const row = await rows.owned(accountId, id);
      return row === null ? null : show(row);
    },

    async list({ accountId }, { beforeId, limit }) {
      const view = await plain.viewer(accountId);
      const found = await rows.list(accountId, beforeId, limit + 1);
      const page = pageOf(found, limit, async (row) => view(row));
      return { items: await Promise.all(page.items), more: page.more };
    },

    async update({ accountId }, id, patch) {
      const row = await rows.owned(accountId, id);
      if (row === null) return null;
      refuseEmpty(definition, patch);
      if (isEmptyPatch(patch)) return show(row);
      checkTexts(definition, patch);
      plain.check?.(patch);
      const change = plain.change(patch);
      const done = await step(keys.change(id), async () => {
        const before = await rows.owned(accountId, id);
        if (before === null) return unchanged(null);
        const after = { ...before, ...change };
        return { answer: { before, after }, writes: [table.update(id, change)], registry: [] };
      });
      if (done === null) return null;
      await plain.changed?.(done.before, done.after);
      return show(done.after);
    },

    async remove({ accountId }, id) {
      const gone = await step(keys.change(id), async () => {
        const row = await rows.owned(accountId, id);
        if (row === null) return unchanged(null);
        const users = (await usedBy?.users(row)) ?? [];
        if (usedBy !== undefined && users.length > 0) throw usedBy.error(row, summarise(users));
        const answer = (await plain.farewell?.(row)) ?? NO_FAREWELL;
        return { answer, writes: [...(answer.writes ?? []), table.delete(id)], registry: [] };
      });
      await gone?.afterwards();
      return gone !== null;
    },
  };
}
