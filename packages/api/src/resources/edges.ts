import type { ControlApi, EdgeView } from '@postern/control';
import {
  edgeRoutes as routeDefinition,
  httpsEdges as httpsDefinition,
  OTHER_MODULES,
  tcpEdges as tcpDefinition,
  tlsEdges as tlsDefinition,
} from '@postern/resources';
import { param, type Operation } from '../resource/operation.ts';
import { serve, type Handlers } from '../resource/serve.ts';
import { backendModule, refusedModules } from './edge-modules.ts';

const EDGE_IDS = { https: httpsDefinition.idPrefixes, tls: tlsDefinition.idPrefixes, tcp: tcpDefinition.idPrefixes };

export function tlsEdges(control: ControlApi): Operation[] {
  return [...serve(tlsDefinition, handlers(control, 'tls')), ...modulesOf(control, 'tls')];
}

export function tcpEdges(control: ControlApi): Operation[] {
  return [...serve(tcpDefinition, handlers(control, 'tcp')), ...modulesOf(control, 'tcp')];
}

/** HTTPS edges carry their backends on routes. */
export function httpsEdges(control: ControlApi): Operation[] {
  return [
    ...serve(httpsDefinition, handlers(control, 'https')),
    ...refusedModules('/edges/https/:id', { id: EDGE_IDS.https }, OTHER_MODULES.https),
    ...routes(control),
  ];
}

function handlers({ edges: service }: ControlApi, kind: EdgeView['kind']) {
  return {
    list: ({ caller }, page) => service.list(caller, kind, page),
    get: ({ caller }, id) => service.get(caller, kind, id),
    create: ({ caller }, input) => service.create(caller, kind, input),
    update: ({ caller }, id, patch) => service.update(caller, kind, id, patch),
    delete: ({ caller }, id) => service.remove(caller, kind, id),
  } satisfies Handlers<unknown, object, object>;
}

function modulesOf({ edges: service }: ControlApi, kind: 'tls' | 'tcp'): Operation[] {
  const path = `/edges/${kind}/:id`;
  const ids = { id: EDGE_IDS[kind] };
  return [
    ...backendModule({
      path,
      ids,
      read: async (caller, call) => (await service.get(caller, kind, param(call, 'id')))?.backend,
      write: async (caller, call, backend) =>
        (await service.update(caller, kind, param(call, 'id'), { backend }))?.backend,
    }),
    ...refusedModules(path, ids, OTHER_MODULES[kind]),
  ];
}

function routes({ edges: service }: ControlApi): Operation[] {
  const path = '/edges/https/:edge_id/routes/:id';
  const ids = { ...routeDefinition.params, id: routeDefinition.idPrefixes };
  return [
    ...serve(routeDefinition, {
      get: (call, id) => service.getRoute(call.caller, param(call, 'edge_id'), id),
      create: (call, input) => service.createRoute(call.caller, param(call, 'edge_id'), input),
      update: (call, id, patch) => service.updateRoute(call.caller, param(call, 'edge_id'), id, patch),
      delete: (call, id) => service.removeRoute(call.caller, param(call, 'edge_id'), id),
    }),
    ...backendModule({
      path,
      ids,
      read: async (caller, call) =>
        (await service.getRoute(caller, param(call, 'edge_id'), param(call, 'id')))?.backend,
      write: async (caller, call, backend) =>
        (await service.updateRoute(caller, param(call, 'edge_id'), param(call, 'id'), { backend }))?.backend,
    }),
    ...refusedModules(path, ids, OTHER_MODULES.route),
  ];
}
