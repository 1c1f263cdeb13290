import type { ControlApi } from '@postern/control';
import { botUsers as definition, serviceUsers as newerDefinition } from '@postern/resources';
import type { Operation } from '../resource/operation.ts';
import { serve, type Handlers } from '../resource/serve.ts';
import { storedUserId } from '../wire/ids.ts';

/** Bot users; `service_users` is their newer name, over the same rows. */
export function botUsers(control: ControlApi): Operation[] {
  return serve(definition, handlers(control));
}

export function serviceUsers(control: ControlApi): Operation[] {
  return serve(newerDefinition, handlers(control));
}

function handlers({ botUsers: service }: ControlApi) {
  return {
    list: ({ caller }, { limit, beforeId }) =>
      service.list(caller, { limit, ...(beforeId === undefined ? {} : { beforeId: storedUserId(beforeId) }) }),
    get: ({ caller }, id) => service.get(caller, storedUserId(id)),
    create: ({ caller }, input) => service.create(caller, input),
    update: ({ caller }, id, patch) => service.update(caller, storedUserId(id), patch),
    delete: ({ caller }, id) => service.remove(caller, storedUserId(id)),
  } satisfies Handlers<unknown, object, object>;
}
