import type { Caller, ControlApi, TunnelSessionView } from '@postern/control';
import { NO_QUERY } from '../pipeline/query.ts';
import { defineResource } from '../resource/define.ts';
import { NO_CONTENT, param, type Operation } from '../resource/operation.ts';
import { omitEmpty } from '../wire/values.ts';

/** Agents that are connected, and the three things that can be asked of one: stop, restart, update. */
export function tunnelSessions({ tunnelSessions: service }: ControlApi): Operation[] {
  return [
    ...defineResource({
      path: '/tunnel_sessions',
      listKey: 'tunnel_sessions',
      idPrefixes: ['ts'],
      filter: {
        kinds: {
          id: 'id',
          agent_version: 'string',
          credential: 'ref',
          ip: 'string',
          metadata: 'string',
          os: 'string',
          region: 'string',
          started_at: 'time',
          transport: 'string',
        },
      },
      render: (view: TunnelSessionView, urls) => ({
        id: view.id,
        agent_version: view.agentVersion,
        credential: urls.ref('/credentials', view.credentialId),
        ip: view.ip,
        metadata: omitEmpty(view.metadata),
        os: view.os,
        region: view.region,
        started_at: view.startedAt,
        transport: view.transport,
        uri: urls.at(`/tunnel_sessions/${view.id}`),
      }),
      list: (caller, page) => service.list(caller, page),
      get: (caller, id) => service.get(caller, id),
    }),
    action('stop', (caller, id) => service.stop(caller, id)),
    action('restart', (caller, id) => service.restart(caller, id)),
    action('update', (caller, id) => service.update(caller, id)),
  ];
}

/** Clients send these with no body, with {}, or with the bare id as text: nobody looks at it (api.md §1.4). */
function action(name: string, run: (caller: Caller, id: string) => Promise<boolean>): Operation {
  return {
    method: 'POST',
    path: `/tunnel_sessions/:id/${name}`,
    ids: { id: ['ts'] },
    query: NO_QUERY,
    body: null,
    handle: async (call) => ((await run(call.caller, param(call, 'id'))) ? NO_CONTENT : null),
  };
}
