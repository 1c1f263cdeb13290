import type { ResourceService } from '@postern/control';
import { PLAIN, plainAt, type PlainName, type Resource, type ViewOfResource } from '@postern/resources';
import { listPage } from './list.ts';
import { param, type Operation } from './operation.ts';
import { rendererOf } from './render.ts';

/** A service as the definitions know it, whichever it is. */
export type AnyService = ResourceService<ViewOfResource<Resource>, object, object>;

/** `GET /vaults/{id}/secrets`: the rows that refer to one of another resource, where the definition says so. */
export function listedBelow(resource: Resource, serviceOf: (name: PlainName) => AnyService): Operation[] {
  return Object.entries(resource.fields).flatMap(([field, { options }]) => {
    const parent = plainAt(options.to ?? '');
    const name = plainAt(resource.path);
    const listed = options.link?.listed;
    if (parent === null || name === null || listed === undefined) return [];
    return [listOperation(resource, { field, listed, rows: serviceOf(name), parent, parents: serviceOf(parent) })];
  });
}

interface Below {
  /** What refers to the parent, on the wire. */
  readonly field: string;
  readonly listed: string;
  readonly rows: AnyService;
  readonly parent: PlainName;
  readonly parents: AnyService;
}

function listOperation(resource: Resource, { field, listed, rows, parent, parents }: Below): Operation {
  const { path, idPrefixes } = PLAIN[parent];
  const render = rendererOf<ViewOfResource<Resource>>(resource, {});
  return {
    method: 'GET',
    path: `${path}/:id/${listed}`,
    ids: { id: idPrefixes },
    query: { paged: true, filter: false, lists: {}, idPrefixes: resource.idPrefixes },
    body: null,
    async handle(call) {
      const id = param(call, 'id');
      if ((await parents.get(call.caller, id)) === null) return null;
      return listPage(call, {
        path: `${path}/${id}/${listed}`,
        listKey: resource.listKey ?? '',
        filter: null,
        only: (row) => refersTo(row[field], id),
        source: (page) => rows.list(call.caller, page),
        render: (view) => render(view, call.urls, call.needs.emptyTexts),
        lazily: (view) => render.lazily(view, call.urls),
      });
    },
  };
}

function refersTo(ref: unknown, id: string): boolean {
  return typeof ref === 'object' && ref !== null && 'id' in ref && ref.id === id;
}
