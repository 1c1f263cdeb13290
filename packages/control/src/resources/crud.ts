/**
 * What plain resources have in common, so that each is its definition (`@postern/resources`) and, where it has rules of
 * its own, hooks (`hooks.ts`):
 *
 * - a row of another account does not exist;
 * - fields have the limits and errors of the definition; an update that names nothing is refused with its number, or
 *   changes nothing;
 * - what an update does not name stays as it is, and two updates of one row do not undo each other;
 * - what a row refers to exists as long as it does: that is not deleted, or takes the row along;
 * - every change is one step of the gate, and goes to the edges that it concerns.
 *
 * Edges have kinds and rows below them, endpoints are of three sources, tunnels and their sessions are nobody's rows:
 * those are written out.
 */
import { fail } from '@postern/errors';
import type { Fields, PlainName, PlainResource, ViewOf } from '@postern/resources';
import type { Repository, Row, Write } from '@postern/store';
import { ALONE, run } from '../change/change.ts';
import { settle } from '../change/confirm.ts';
import { type Decision, unchanged } from '../change/value.ts';
import type { Core } from '../core.ts';
import type { Keys } from '../gate/keys.ts';
import { checkTexts, isEmptyPatch, refuseEmpty } from '../texts.ts';
import type { ResourceService } from '../types.ts';
import { summarise } from '../users.ts';
import {
  checkFields,
  patchFrom,
  referencesFrom,
  referencesTo,
  refusalOf,
  rowFrom,
  stamped,
  unfilled,
  valuesOf,
  viewerOf,
} from './derived.ts';
import type { Create, Farewell, Hooks, Needed, Update, Viewer } from './hooks.ts';
import { pageOf, storedRows } from './paging.ts';

const NO_FAREWELL: Farewell = { afterwards: async () => {} };

interface Plain<Fs extends Fields, R extends Row> {
  readonly name: PlainName;
  readonly definition: PlainResource<Fs>;
  readonly table: Repository<R>;
  readonly hooks: Hooks<Fs, R>;
}

export function crud<Fs extends Fields, R extends Row>(
  core: Core,
  { name, definition, table, hooks }: Plain<Fs, R>,
): ResourceService<ViewOf<Fs>, Create<Fs>, Update<Fs>> {
  const { rows = storedRows(table), usedBy } = hooks;
  const links = referencesFrom(definition, name);
  const referring = referencesTo(definition, name);
  const { viewer, make, change } = { ...derivedHooks<Fs, R>(definition, hooks), ...hooks };

  const show = async (row: R): Promise<ViewOf<Fs>> => (await viewer(row.accountId))(row);

  /** What a row refers to may not go meanwhile. */
  const withLinks = (keys: Keys, row: object): Keys =>
    links
      .map(({ column }) => valuesOf(row)[column])
      .filter((id) => typeof id === 'string' && id !== '')
      .reduce((all: Keys, id) => all.id(String(id)), keys);

  function createKeys(input: Create<Fs>): Needed {
    const own = hooks.keys?.create(input) ?? ((keys: Keys) => keys);
    return own === ALONE || links.length === 0 ? own : (keys) => own(withLinks(keys, input));
  }

  function changeKeys(id: string, patch: Update<Fs> | null): Needed {
    const own = hooks.keys?.change(id, patch) ?? ((keys: Keys) => keys.id(id));
    if (own === ALONE || links.length === 0) return own;
    return async (keys) => own(withLinks(keys, (await table.get(id)) ?? {}));
  }

  async function step<T>(needed: Needed, row: object, decide: () => Promise<Decision<T>>): Promise<T> {
    try {
      const done = await run(core, needed, decide);
      await settle(core, done.online);
      return done.answer;
    } catch (error) {
      throw refusalOf(definition, error, row);
    }
  }

  async function checkLinks(accountId: string, row: object): Promise<void> {
    for (const { column, to, link } of links) {
      const id = String(valuesOf(row)[column]);
      const target = await core.store[to].get(id);
      if (target?.accountId !== accountId) throw fail(link.unknown, { id });
    }
  }

  /** Who refers to the row keeps it, or goes with it. */
  async function referringTo({ id }: R): Promise<{ readonly users: readonly string[]; readonly writes: Write[] }> {
    const users: string[] = [];
    const writes: Write[] = [];
    for (const { from, title, column, link } of referring) {
      const found = await core.store[from].find({ [column]: id });
      if (link.goesWith === true) writes.push(...found.map((row) => core.store[from].delete(row.id)));
      else users.push(...found.map((row) => `${title} ${row.id}`));
    }
    return { users, writes };
  }

  return {
    async create(caller, given) {
      const { accountId } = caller;
      checkTexts(definition, given);
      checkFields(definition, given, 'create');
      hooks.check?.(given);
      const input = (await hooks.read?.(accountId, given)) ?? given;
      const { row, once } = await step(createKeys(input), input, async () => {
        const head = { id: core.ids.next(definition.idPrefixes[0]), accountId, createdAt: core.timestamp() };
        const made = await make(head, input);
        await checkLinks(accountId, made.row);
        await hooks.verify?.(made.row, null);
        const answer = { ...made, row: { ...made.row, ...stamped(definition, caller, head.createdAt, 'create') } };
        const write = made.patch === undefined ? table.insert(answer.row) : table.update(made.row.id, made.patch);
        return { answer, writes: [write], registry: [] };
      });
      return { ...(await show(row)), ...once };
    },

    async get({ accountId }, id) {
      const row = await rows.owned(accountId, id);
      return row === null ? null : show(row);
    },

    async list({ accountId }, { beforeId, limit }) {
      const view = await viewer(accountId);
      const found = await rows.list(accountId, beforeId, limit + 1);
      const page = pageOf(found, limit, async (row) => view(row));
      return { items: await Promise.all(page.items), more: page.more };
    },

    async update(caller, id, patch) {
      const { accountId } = caller;
      const row = await rows.owned(accountId, id);
      if (row === null) return null;
      refuseEmpty(definition, patch);
      if (isEmptyPatch(patch)) return show(row);
      checkTexts(definition, patch);
      checkFields(definition, patch, 'update');
      hooks.check?.(patch);
      const changed = { ...change(patch), ...stamped(definition, caller, core.timestamp(), 'update') };
      const done = await step(changeKeys(id, patch), { ...row, ...changed }, async () => {
        const before = await rows.owned(accountId, id);
        if (before === null) return unchanged(null);
        const after = { ...before, ...changed };
        await hooks.verify?.(after, before);
        return { answer: { before, after }, writes: [table.update(id, changed)], registry: [] };
      });
      if (done === null) return null;
      await hooks.changed?.(done.before, done.after);
      return show(done.after);
    },

    async remove({ accountId }, id) {
      const gone = await step(changeKeys(id, null), {}, async () => {
        const row = await rows.owned(accountId, id);
        if (row === null) return unchanged(null);
        const { users, writes } = await referringTo(row);
        if (users.length > 0) throw fail(definition.inUse ?? 223, { id, users: summarise(users) });
        const own = (await usedBy?.users(row)) ?? [];
        if (usedBy !== undefined && own.length > 0) throw usedBy.error(row, summarise(own));
        const answer = (await hooks.farewell?.(row)) ?? NO_FAREWELL;
        return { answer, writes: [...writes, ...(answer.writes ?? []), table.delete(id)], registry: [] };
      });
      await gone?.afterwards();
      return gone !== null;
    },
  };
}

/** Rows and views have the types of the definition that they are made from. */
function derivedHooks<Fs extends Fields, R extends Row>(
  definition: PlainResource<Fs>,
  hooks: Hooks<Fs, R>,
): Required<Pick<Hooks<Fs, R>, 'make' | 'change' | 'viewer'>> {
  const unsaid = hooks.make === undefined && definition.verbs.includes('create') ? unfilled(definition) : [];
  if (unsaid.length > 0) throw new TypeError(`${definition.name}: nothing says what ${unsaid.join(', ')} is`);
  const view = viewerOf(definition);
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    make: (head, input) => ({ row: rowFrom(definition, head, input) as R }),
    change: (patch) => patchFrom(definition, patch),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    viewer: () => view as Viewer<R, Fs>,
  };
}
