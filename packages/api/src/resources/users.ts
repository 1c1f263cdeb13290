import type { BotUserView, ControlApi } from '@postern/control';
import { z } from 'zod';
import { fields } from '../pipeline/body.ts';
import { defineResource } from '../resource/define.ts';
import type { Operation } from '../resource/operation.ts';
import { storedUserId } from '../wire/ids.ts';

const BODY = fields({ name: z.string().optional(), active: z.boolean().optional() });

/** Bot users; `service_users` is their newer name, over the same rows (api.md §6). */
export function botUsers(control: ControlApi): Operation[] {
  return users(control, 'bot_users', false);
}

export function serviceUsers(control: ControlApi): Operation[] {
  return users(control, 'service_users', true);
}

function users({ botUsers: service }: ControlApi, listKey: string, filterable: boolean): Operation[] {
  return defineResource({
    path: `/${listKey}`,
    listKey,
    idPrefixes: ['bot', 'service'],
    filter: filterable ? { kinds: { id: 'id', created_at: 'time', name: 'string', active: 'bool' } } : null,
    render: (view: BotUserView, urls) => ({
      id: view.id,
      uri: urls.at(`/${listKey}/${view.id}`),
      name: view.name,
      active: view.active,
      created_at: view.createdAt,
    }),
    list: (caller, { limit, beforeId }) =>
      service.list(caller, { limit, ...(beforeId === undefined ? {} : { beforeId: storedUserId(beforeId) }) }),
    get: (caller, id) => service.get(caller, storedUserId(id)),
    create: { body: BODY, run: (caller, input) => service.create(caller, input) },
    update: { body: BODY, run: (caller, id, patch) => service.update(caller, storedUserId(id), patch) },
    remove: (caller, id) => service.remove(caller, storedUserId(id)),
  });
}
