import type { ControlApi, EdgeInput, EdgeRouteInput, EdgeRouteView, EdgeView } from '@postern/control';
import { z } from 'zod';
import { fields } from '../pipeline/body.ts';
import { NO_QUERY } from '../pipeline/query.ts';
import { defineResource } from '../resource/define.ts';
import { NO_CONTENT, ok, param, type Operation } from '../resource/operation.ts';
import type { Urls } from '../wire/urls.ts';
import { omitEmpty, type WireObject } from '../wire/values.ts';
import {
  backendModule,
  BACKEND_MEMBER,
  nullModules,
  OTHER_MODULES,
  refusedModules,
  refusing,
  renderBackend,
} from './edge-modules.ts';

type Kind = EdgeView['kind'];

const ID_PREFIX: Readonly<Record<Kind, string>> = { https: 'edghts', tls: 'edgtls', tcp: 'edgtcp' };
const ROUTE_PREFIX = 'edghtsrt';

const TEXTS = { description: z.string().optional(), metadata: z.string().optional() };
const EDGE_SHAPE = { ...TEXTS, hostports: z.array(z.string()).optional() };
const EDGE_BODY = fields(EDGE_SHAPE);
const EDGE_BODY_WITH_BACKEND = fields({ ...EDGE_SHAPE, backend: BACKEND_MEMBER });
const ROUTE_BODY = refusing(
  OTHER_MODULES.route,
  fields({ ...TEXTS, match_type: z.string().optional(), match: z.string().optional(), backend: BACKEND_MEMBER }),
);

export function tlsEdges(control: ControlApi): Operation[] {
  return [...edges(control, 'tls'), ...edgeBackend(control, 'tls')];
}

export function tcpEdges(control: ControlApi): Operation[] {
  return [...edges(control, 'tcp'), ...edgeBackend(control, 'tcp')];
}

/** HTTPS edges carry their backends on routes. */
export function httpsEdges(control: ControlApi): Operation[] {
  return [...edges(control, 'https'), ...routes(control)];
}

function edges({ edges: service }: ControlApi, kind: Kind): Operation[] {
  const path = `/edges/${kind}`;
  const body = refusing<EdgeInput>(OTHER_MODULES[kind], kind === 'https' ? EDGE_BODY : EDGE_BODY_WITH_BACKEND);
  return [
    ...defineResource({
      path,
      listKey: `${kind}_edges`,
      idPrefixes: [ID_PREFIX[kind]],
      filter: null,
      render: renderEdge,
      list: (caller, page) => service.list(caller, kind, page),
      get: (caller, id) => service.get(caller, kind, id),
      create: { body, run: (caller, input) => service.create(caller, kind, input) },
      update: { body, run: (caller, id, patch) => service.update(caller, kind, id, patch) },
      remove: (caller, id) => service.remove(caller, kind, id),
    }),
    ...refusedModules(`${path}/:id`, { id: [ID_PREFIX[kind]] }, OTHER_MODULES[kind]),
  ];
}

function edgeBackend({ edges: service }: ControlApi, kind: 'tls' | 'tcp'): Operation[] {
  return backendModule({
    path: `/edges/${kind}/:id`,
    ids: { id: [ID_PREFIX[kind]] },
    read: async (caller, call) => (await service.get(caller, kind, param(call, 'id')))?.backend,
    write: async (caller, call, backend) =>
      (await service.update(caller, kind, param(call, 'id'), { backend }))?.backend,
  });
}

function routes({ edges: service }: ControlApi): Operation[] {
  const path = '/edges/https/:edge_id/routes';
  const onePath = `${path}/:id`;
  const edgeIds = { edge_id: [ID_PREFIX.https] };
  const ids = { ...edgeIds, id: [ROUTE_PREFIX] };
  const create: Operation<EdgeRouteInput> = {
    method: 'POST',
    path,
    ids: edgeIds,
    query: NO_QUERY,
    body: ROUTE_BODY,
    async handle(call) {
      const view = await service.createRoute(call.caller, param(call, 'edge_id'), call.body);
      return view === null ? null : { status: 201, body: renderRoute(view, call.urls) };
    },
  };
  const update: Operation<EdgeRouteInput> = {
    method: 'PATCH',
    path: onePath,
    ids,
    query: NO_QUERY,
    body: ROUTE_BODY,
    async handle(call) {
      const view = await service.updateRoute(call.caller, param(call, 'edge_id'), param(call, 'id'), call.body);
      return view === null ? null : ok(renderRoute(view, call.urls));
    },
  };
  return [
    create,
    update,
    {
      method: 'GET',
      path: onePath,
      ids,
      query: NO_QUERY,
      body: null,
      async handle(call) {
        const view = await service.getRoute(call.caller, param(call, 'edge_id'), param(call, 'id'));
        return view === null ? null : ok(renderRoute(view, call.urls));
      },
    },
    {
      method: 'DELETE',
      path: onePath,
      ids,
      query: NO_QUERY,
      body: null,
      async handle(call) {
        const removed = await service.removeRoute(call.caller, param(call, 'edge_id'), param(call, 'id'));
        return removed ? NO_CONTENT : null;
      },
    },
    ...backendModule({
      path: onePath,
      ids,
      read: async (caller, call) =>
        (await service.getRoute(caller, param(call, 'edge_id'), param(call, 'id')))?.backend,
      write: async (caller, call, backend) =>
        (await service.updateRoute(caller, param(call, 'edge_id'), param(call, 'id'), { backend }))?.backend,
    }),
    ...refusedModules(onePath, ids, OTHER_MODULES.route),
  ];
}

function renderEdge(view: EdgeView, urls: Urls): WireObject & { readonly id: string } {
  const common = {
    id: view.id,
    description: omitEmpty(view.description),
    metadata: omitEmpty(view.metadata),
    created_at: view.createdAt,
    uri: urls.at(`/edges/${view.kind}/${view.id}`),
    // Published samples have null for a TCP edge without any.
    hostports: view.kind === 'tcp' && view.hostports.length === 0 ? null : view.hostports,
    ...nullModules(OTHER_MODULES[view.kind]),
  };
  return view.kind === 'https'
    ? { ...common, routes: view.routes.map((route) => renderRoute(route, urls)) }
    : { ...common, backend: renderBackend(view.backend, urls) };
}

function renderRoute(view: EdgeRouteView, urls: Urls): WireObject {
  return {
    edge_id: view.edgeId,
    id: view.id,
    created_at: view.createdAt,
    match_type: view.matchType,
    match: view.match,
    uri: urls.at(`/edges/https/${view.edgeId}/routes/${view.id}`),
    description: omitEmpty(view.description),
    metadata: omitEmpty(view.metadata),
    backend: renderBackend(view.backend, urls),
    ...nullModules(OTHER_MODULES.route),
  };
}
