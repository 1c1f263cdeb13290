import type { Page, PageQuery, ResourceService } from '@postern/control';
import { filterFieldsOf, type CreateOf, type Resource, type UpdateOf, type ViewOfResource } from '@postern/resources';
import type { BodyRule } from '../pipeline/body.ts';
import { NO_QUERY, type Query } from '../pipeline/query.ts';
import { bodyRuleOf, NOTHING_ASKED } from './body-rule.ts';
import { listPage } from './list.ts';
import { NO_CONTENT, ok, param, type Answer, type Call, type Operation } from './operation.ts';
import { rendererOf, type Computed, type Renderer } from './render.ts';

/** What does the work of a resource's verbs and actions; `null` and `false` mean "no such resource". */
export interface Handlers<View, Create, Update> {
  readonly list?: (call: Call, page: PageQuery, query: Query) => Promise<Page<View>>;
  readonly get: (call: Call, id: string) => Promise<View | null>;
  readonly create?: (call: Call, input: Create) => Promise<View | null>;
  readonly update?: (call: Call, id: string, patch: Update) => Promise<View | null>;
  readonly delete?: (call: Call, id: string) => Promise<boolean>;
  /** By name. */
  readonly actions?: Readonly<Record<string, (call: Call, id: string) => Promise<View | boolean | null>>>;
}

/** The five verbs of a service of the rules, as they are. */
export function handlersOf<View, Create, Update>(
  service: ResourceService<View, Create, Update>,
): Required<Omit<Handlers<View, Create, Update>, 'actions'>> {
  return {
    list: ({ caller }, page) => service.list(caller, page),
    get: ({ caller }, id) => service.get(caller, id),
    create: ({ caller }, input) => service.create(caller, input),
    update: ({ caller }, id, patch) => service.update(caller, id, patch),
    delete: ({ caller }, id) => service.remove(caller, id),
  };
}

/**
 * The operations of a resource, from its definition and who does the work.
 * @param computed the fields that the definition calls computed
 * @throws TypeError when nobody does what the definition says
 */
export function serve<R extends Resource, View extends ViewOfResource<R> & object>(
  resource: R,
  handlers: Handlers<View, CreateOf<R>, UpdateOf<R>>,
  computed: Computed<View> = {},
): Operation[] {
  const place: Place<View> = {
    resource,
    path: resource.path.replace(/\{(\w+)\}/g, ':$1'),
    parentIds: resource.params ?? {},
    ids: { ...resource.params, id: resource.idPrefixes },
    render: rendererOf<View>(resource, computed),
  };
  const { list, get, create, update, delete: remove, actions } = handlers;
  const verbs = {
    list: () => listOperation(place, required(list, resource, 'list')),
    get: () => getOperation(place, get),
    create: () =>
      createOperation(place, bodyRuleOf<CreateOf<R>>(resource.fields, 'create'), required(create, resource, 'create')),
    update: () =>
      updateOperation(
        place,
        bodyRuleOf<UpdateOf<R>>(resource.fields, 'update'),
        required(update, resource, 'update'),
        get,
      ),
    delete: () => doOperation(place, 'DELETE', '', required(remove, resource, 'delete')),
  };
  return [
    ...resource.verbs.map((verb) => verbs[verb]()),
    ...(resource.actions ?? []).map(({ name }) =>
      doOperation(place, 'POST', `/${name}`, required(actions?.[name], resource, name), ANY_BODY),
    ),
  ];
}

/** What the operations of one resource share. */
interface Place<View> {
  readonly resource: Resource;
  /** As the router writes it. */
  readonly path: string;
  /** Prefixes of path parameters: of the collection, and of one resource. */
  readonly parentIds: Operation['ids'];
  readonly ids: Operation['ids'];
  readonly render: Renderer<View>;
}

function listOperation<View>(
  { resource, path, parentIds, render }: Place<View>,
  list: (call: Call, page: PageQuery, query: Query) => Promise<Page<View>>,
): Operation {
  const filter = filterFieldsOf(resource);
  const { listKey, lists = {}, idPrefixes } = resource;
  return {
    method: 'GET',
    path,
    ids: parentIds,
    query: { paged: true, filter: filter !== null, lists, idPrefixes },
    body: null,
    handle: (call) =>
      listPage(call, {
        path,
        listKey: listKey ?? '',
        filter,
        source: (page) => list(call, page, call.query),
        render: (view) => render(view, call.urls, call.needs.emptyTexts),
        lazily: (view) => render.lazily(view, call.urls),
      }),
  };
}

function getOperation<View>(place: Place<View>, get: (call: Call, id: string) => Promise<View | null>): Operation {
  return {
    method: 'GET',
    path: `${place.path}/:id`,
    ids: place.ids,
    query: NO_QUERY,
    body: null,
    handle: async (call) => shown(place, await get(call, param(call, 'id')), call),
  };
}

function createOperation<View, Create>(
  { path, parentIds, render }: Place<View>,
  body: BodyRule<Create>,
  create: (call: Call, input: Create) => Promise<View | null>,
): Operation {
  const operation: Operation<Create> = {
    method: 'POST',
    path,
    ids: parentIds,
    query: NO_QUERY,
    body,
    async handle(call) {
      const view = await create(call, call.body);
      return view === null ? null : { status: 201, body: render(view, call.urls, call.needs.emptyTexts) };
    },
  };
  return operation;
}

function updateOperation<View, Update>(
  place: Place<View>,
  body: BodyRule<Update>,
  update: (call: Call, id: string, patch: Update) => Promise<View | null>,
  get: (call: Call, id: string) => Promise<View | null>,
): Operation {
  const operation: Operation<Update> = {
    method: 'PATCH',
    path: `${place.path}/:id`,
    ids: place.ids,
    query: NO_QUERY,
    body,
    async handle(call) {
      const id = param(call, 'id');
      const nothing = Object.is(call.body, NOTHING_ASKED);
      return shown(place, await (nothing ? get(call, id) : update(call, id, call.body)), call);
    },
  };
  return operation;
}

/** Clients send actions with no body, with {}, or with the bare id as text. */
const ANY_BODY: BodyRule<unknown> = { loose: true, read: (input) => input };

/** Something that is done: answered 204, or with the resource. */
function doOperation<View>(
  place: Place<View>,
  method: 'POST' | 'DELETE',
  below: string,
  act: (call: Call, id: string) => Promise<View | boolean | null>,
  body: BodyRule<unknown> | null = null,
): Operation {
  return {
    method,
    path: `${place.path}/:id${below}`,
    ids: place.ids,
    query: NO_QUERY,
    body,
    async handle(call) {
      const done = await act(call, param(call, 'id'));
      if (typeof done === 'boolean') return done ? NO_CONTENT : null;
      return shown(place, done, call);
    },
  };
}

function shown<View>({ render }: Place<View>, view: View | null, call: Call): Answer | null {
  return view === null ? null : ok(render(view, call.urls, call.needs.emptyTexts));
}

function required<T>(handler: T | undefined, { name }: Resource, what: string): T {
  if (handler === undefined) throw new TypeError(`${name} says "${what}", and nobody does it`);
  return handler;
}
