import type { ControlApi, EndpointView } from '@postern/control';
import { z } from 'zod';
import { fields } from '../pipeline/body.ts';
import { defineResource } from '../resource/define.ts';
import type { Operation } from '../resource/operation.ts';
import type { Urls } from '../wire/urls.ts';
import { omitEmpty, type WireObject } from '../wire/values.ts';

const UPDATE_SHAPE = {
  url: z.string().optional(),
  traffic_policy: z.string().optional(),
  description: z.string().optional(),
  metadata: z.string().optional(),
  bindings: z.array(z.string()).optional(),
  pooling_enabled: z.boolean().optional(),
};

/** Endpoints of all three kinds; only cloud endpoints are created and changed here (api.md §4). */
export function endpoints({ endpoints: service }: ControlApi): Operation[] {
  return defineResource({
    path: '/endpoints',
    listKey: 'endpoints',
    idPrefixes: ['ep'],
    lists: { ids: ['id', 'ids'], urls: ['url', 'urls'] },
    filter: {
      kinds: {
        id: 'id',
        region: 'string',
        created_at: 'time',
        updated_at: 'time',
        public_url: 'string',
        proto: 'string',
        scheme: 'string',
        hostport: 'string',
        host: 'string',
        port: 'number',
        type: 'string',
        metadata: 'string',
        description: 'string',
        domain: 'ref',
        tcp_addr: 'ref',
        tunnel: 'ref',
        edge: 'ref',
        upstream_url: 'string',
        upstream_protocol: 'string',
        url: 'string',
        principal: 'ref',
        traffic_policy: 'string',
        bindings: 'list',
        tunnel_session: 'ref',
        uri: 'string',
        name: 'string',
        pooling_enabled: 'bool',
      },
      aliases: { binding: 'bindings' },
      synonyms: { type: { agent: 'ephemeral' } },
    },
    render: renderEndpoint,
    list: (caller, page, { lists: { ids = [], urls = [] } }) =>
      service.list(caller, { ...page, ...(ids.length > 0 ? { ids } : {}), ...(urls.length > 0 ? { urls } : {}) }),
    get: (caller, id) => service.get(caller, id),
    create: {
      body: fields({ ...UPDATE_SHAPE, type: z.string().optional() }),
      run: (caller, input) => service.create(caller, input),
    },
    update: { body: fields(UPDATE_SHAPE), run: (caller, id, patch) => service.update(caller, id, patch) },
    remove: (caller, id) => service.remove(caller, id),
  });
}

function renderEndpoint(view: EndpointView, urls: Urls): WireObject & { readonly id: string } {
  return {
    id: view.id,
    region: omitEmpty(view.region),
    created_at: view.createdAt,
    updated_at: view.updatedAt,
    public_url: view.publicUrl,
    proto: view.scheme,
    scheme: view.scheme,
    hostport: view.hostport,
    host: view.host,
    port: view.port,
    type: view.type,
    metadata: omitEmpty(view.metadata),
    description: omitEmpty(view.description),
    domain: urls.maybeRef('/reserved_domains', view.domainId),
    tcp_addr: urls.maybeRef('/reserved_addrs', view.tcpAddrId),
    tunnel: urls.maybeRef('/tunnels', view.tunnelId),
    edge: view.edge === null ? undefined : urls.ref(`/edges/${view.edge.kind}`, view.edge.id),
    upstream_url: omitEmpty(view.upstreamUrl),
    // The name of before 2025 and today's: clients of either age read theirs.
    upstream_proto: omitEmpty(view.upstreamProtocol),
    upstream_protocol: omitEmpty(view.upstreamProtocol),
    url: omitEmpty(view.url),
    principal: view.principalId === '' ? undefined : urls.owner(view.principalId),
    traffic_policy: omitEmpty(view.trafficPolicy),
    bindings: view.bindings,
    tunnel_session: urls.maybeRef('/tunnel_sessions', view.tunnelSessionId),
    uri: urls.at(`/endpoints/${view.id}`),
    name: omitEmpty(view.name),
    pooling_enabled: view.poolingEnabled,
  };
}
