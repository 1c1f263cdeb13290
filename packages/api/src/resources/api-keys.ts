import type { ApiKeyView, ControlApi } from '@postern/control';
import { z } from 'zod';
import { fields, mapped } from '../pipeline/body.ts';
import { defineResource } from '../resource/define.ts';
import type { Operation } from '../resource/operation.ts';
import { omitEmpty } from '../wire/values.ts';
import { withStoredOwner } from './credentials.ts';

const UPDATE_SHAPE = { description: z.string().optional(), metadata: z.string().optional() };

/** Keys of this API. The token is in the answer of the create call and never again. */
export function apiKeys({ apiKeys: service }: ControlApi): Operation[] {
  return defineResource({
    path: '/api_keys',
    listKey: 'keys',
    idPrefixes: ['ak'],
    filter: {
      kinds: { id: 'id', created_at: 'time', description: 'string', metadata: 'string', owner_id: 'id' },
    },
    render: (view: ApiKeyView, urls) => ({
      id: view.id,
      uri: urls.at(`/api_keys/${view.id}`),
      description: omitEmpty(view.description),
      metadata: omitEmpty(view.metadata),
      created_at: view.createdAt,
      token: view.token,
      owner_id: view.ownerId,
    }),
    list: (caller, page) => service.list(caller, page),
    get: (caller, id) => service.get(caller, id),
    create: {
      body: mapped(fields({ ...UPDATE_SHAPE, owner_id: z.string().optional() }), withStoredOwner),
      run: (caller, input) => service.create(caller, input),
    },
    update: { body: fields(UPDATE_SHAPE), run: (caller, id, patch) => service.update(caller, id, patch) },
    remove: (caller, id) => service.remove(caller, id),
  });
}
