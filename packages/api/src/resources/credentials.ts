import type { ControlApi, CredentialView } from '@postern/control';
import { z } from 'zod';
import { fields, mapped } from '../pipeline/body.ts';
import { defineResource } from '../resource/define.ts';
import type { Operation } from '../resource/operation.ts';
import { storedUserId } from '../wire/ids.ts';
import { omitEmpty } from '../wire/values.ts';

const UPDATE_SHAPE = {
  description: z.string().optional(),
  metadata: z.string().optional(),
  acl: z.array(z.string()).optional(),
};

/** Authtokens of agents. The token is in the answer of the create call and never again. */
export function credentials({ credentials: service }: ControlApi): Operation[] {
  return defineResource({
    path: '/credentials',
    listKey: 'credentials',
    idPrefixes: ['cr'],
    filter: {
      kinds: {
        id: 'id',
        created_at: 'time',
        description: 'string',
        metadata: 'string',
        owner_id: 'id',
        acl: 'list',
      },
    },
    render: (view: CredentialView, urls) => ({
      id: view.id,
      uri: urls.at(`/credentials/${view.id}`),
      created_at: view.createdAt,
      description: omitEmpty(view.description),
      metadata: omitEmpty(view.metadata),
      token: view.token,
      acl: view.acl,
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

/** owner_id may name a user by either of its two prefixes. */
export function withStoredOwner<T extends { readonly ownerId?: string }>(body: T): T {
  return body.ownerId === undefined ? body : { ...body, ownerId: storedUserId(body.ownerId) };
}
