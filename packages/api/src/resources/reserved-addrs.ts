import type { ControlApi, ReservedAddrView } from '@postern/control';
import { z } from 'zod';
import { fields } from '../pipeline/body.ts';
import { defineResource } from '../resource/define.ts';
import type { Operation } from '../resource/operation.ts';
import { omitEmpty } from '../wire/values.ts';

const TEXTS = { description: z.string().optional(), metadata: z.string().optional() };

/** TCP addresses that an account holds; the server picks host and port (api.md §6). */
export function reservedAddrs({ reservedAddrs: service }: ControlApi): Operation[] {
  return defineResource({
    path: '/reserved_addrs',
    listKey: 'reserved_addrs',
    idPrefixes: ['ra'],
    filter: {
      kinds: {
        id: 'id',
        created_at: 'time',
        description: 'string',
        metadata: 'string',
        addr: 'string',
        region: 'string',
      },
    },
    render: (view: ReservedAddrView, urls) => ({
      id: view.id,
      uri: urls.at(`/reserved_addrs/${view.id}`),
      created_at: view.createdAt,
      description: omitEmpty(view.description),
      metadata: omitEmpty(view.metadata),
      addr: view.addr,
      region: view.region,
      endpoint_configuration: null,
    }),
    list: (caller, page) => service.list(caller, page),
    get: (caller, id) => service.get(caller, id),
    create: {
      body: fields({ ...TEXTS, region: z.string().optional() }),
      run: (caller, input) => service.create(caller, input),
    },
    update: { body: fields(TEXTS), run: (caller, id, patch) => service.update(caller, id, patch) },
    remove: (caller, id) => service.remove(caller, id),
  });
}
