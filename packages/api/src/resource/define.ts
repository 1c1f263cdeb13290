import type { Caller, Page, PageQuery } from '@postern/control';
import type { FilterFields } from '../filter/values.ts';
import type { BodyRule } from '../pipeline/body.ts';
import { NO_QUERY, type Query, type QueryRule } from '../pipeline/query.ts';
import type { Urls } from '../wire/urls.ts';
import type { WireObject } from '../wire/values.ts';
import { listPage } from './list.ts';
import { NO_CONTENT, ok, param, type Operation } from './operation.ts';

type Rendered = WireObject & { readonly id: string };

/** Everything that makes one resource: what it is called, what bodies it takes, what the rules do, how it looks. */
export interface ResourceDefinition<View, Create, Update> {
  /** e.g. `/reserved_domains`. */
  readonly path: string;
  readonly listKey: string;
  readonly idPrefixes: readonly string[];
  /** null = this resource has no `filter` parameter (the deprecated ones). */
  readonly filter: FilterFields | null;
  /** Repeatable query parameters of the list: name → spellings. */
  readonly lists?: QueryRule['lists'];
  readonly render: (view: View, urls: Urls) => Rendered;
  readonly list: (caller: Caller, page: PageQuery, query: Query) => Promise<Page<View>>;
  readonly get: (caller: Caller, id: string) => Promise<View | null>;
  readonly create?: { readonly body: BodyRule<Create>; run(caller: Caller, input: Create): Promise<View> };
  readonly update?: {
    readonly body: BodyRule<Update>;
    run(caller: Caller, id: string, patch: Update): Promise<View | null>;
  };
  readonly remove?: (caller: Caller, id: string) => Promise<boolean>;
}

/** The operations of a resource: list and get always, the others where it has them. */
export function defineResource<View, Create, Update>(
  definition: ResourceDefinition<View, Create, Update>,
): Operation[] {
  const { path, render, create, update, remove } = definition;
  const onePath = `${path}/:id`;
  const ids = { id: definition.idPrefixes };
  const operations: Operation[] = [
    {
      method: 'GET',
      path,
      ids: {},
      query: {
        paged: true,
        filter: definition.filter !== null,
        lists: definition.lists ?? {},
        idPrefixes: definition.idPrefixes,
      },
      body: null,
      handle: (call) =>
        listPage(call, {
          path,
          listKey: definition.listKey,
          filter: definition.filter,
          source: (page) => definition.list(call.caller, page, call.query),
          render: (view) => render(view, call.urls),
        }),
    },
    {
      method: 'GET',
      path: onePath,
      ids,
      query: NO_QUERY,
      body: null,
      async handle(call) {
        const view = await definition.get(call.caller, param(call, 'id'));
        return view === null ? null : ok(render(view, call.urls));
      },
    },
  ];
  if (create !== undefined) {
    const operation: Operation<Create> = {
      method: 'POST',
      path,
      ids: {},
      query: NO_QUERY,
      body: create.body,
      async handle({ caller, body, urls }) {
        return { status: 201, body: render(await create.run(caller, body), urls) };
      },
    };
    operations.push(operation);
  }
  if (update !== undefined) {
    const operation: Operation<Update> = {
      method: 'PATCH',
      path: onePath,
      ids,
      query: NO_QUERY,
      body: update.body,
      async handle(call) {
        const view = await update.run(call.caller, param(call, 'id'), call.body);
        return view === null ? null : ok(render(view, call.urls));
      },
    };
    operations.push(operation);
  }
  if (remove !== undefined) {
    operations.push({
      method: 'DELETE',
      path: onePath,
      ids,
      query: NO_QUERY,
      body: null,
      handle: async (call) => ((await remove(call.caller, param(call, 'id'))) ? NO_CONTENT : null),
    });
  }
  return operations;
}
