import type { ControlApi, TunnelView } from '@postern/control';
import { defineResource } from '../resource/define.ts';
import type { Operation } from '../resource/operation.ts';
import { omitEmpty } from '../wire/values.ts';

/** Tunnels of agents that are online; read only. Labelled ones have labels and no address of their own. */
export function tunnels({ tunnels: service }: ControlApi): Operation[] {
  return defineResource({
    path: '/tunnels',
    listKey: 'tunnels',
    idPrefixes: ['tn'],
    filter: null,
    render: (view: TunnelView, urls) => ({
      id: view.id,
      public_url: view.endpoint === null ? undefined : view.endpoint.publicUrl,
      started_at: view.startedAt,
      metadata: omitEmpty(view.metadata),
      proto: view.endpoint === null ? undefined : view.endpoint.proto,
      region: view.region,
      tunnel_session: urls.ref('/tunnel_sessions', view.tunnelSessionId),
      endpoint: view.endpoint === null ? undefined : urls.ref('/endpoints', view.endpoint.id),
      labels: view.labels ?? undefined,
      forwards_to: view.forwardsTo,
    }),
    list: (caller, page) => service.list(caller, page),
    get: (caller, id) => service.get(caller, id),
  });
}
