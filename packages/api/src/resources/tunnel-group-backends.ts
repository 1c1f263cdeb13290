import type { ControlApi, TunnelGroupBackendView } from '@postern/control';
import { z } from 'zod';
import { fields } from '../pipeline/body.ts';
import { defineResource } from '../resource/define.ts';
import type { Operation } from '../resource/operation.ts';

const BODY = fields({
  description: z.string().optional(),
  metadata: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
});

/** What an edge forwards to: every online labelled tunnel that has all of these labels. */
export function tunnelGroupBackends({ tunnelGroupBackends: service }: ControlApi): Operation[] {
  return defineResource({
    path: '/backends/tunnel_group',
    listKey: 'backends',
    idPrefixes: ['bkdtg'],
    filter: null,
    render: (view: TunnelGroupBackendView, urls) => ({
      id: view.id,
      uri: urls.at(`/backends/tunnel_group/${view.id}`),
      created_at: view.createdAt,
      description: view.description,
      metadata: view.metadata,
      labels: view.labels,
      tunnels: view.tunnelIds.map((id) => urls.ref('/tunnels', id)),
    }),
    list: (caller, page) => service.list(caller, page),
    get: (caller, id) => service.get(caller, id),
    create: { body: BODY, run: (caller, input) => service.create(caller, input) },
    update: { body: BODY, run: (caller, id, patch) => service.update(caller, id, patch) },
    remove: (caller, id) => service.remove(caller, id),
  });
}
