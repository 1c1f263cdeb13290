import type { ControlApi } from '@postern/control';
import { botUsers as definition, serviceUsers as newerDefinition, type ViewOfResource } from '@postern/resources';
import type { Operation } from '../resource/operation.ts';
import { serve, type Handlers } from '../resource/serve.ts';
import { serviceUserId, storedUserId } from '../wire/ids.ts';

type BotUserView = ViewOfResource<typeof definition>;

/** Bot users; `service_users` is their newer name, over the same rows. */
export function botUsers(control: ControlApi): Operation[] {
  return serve(
    definition,
    handlers(control, (view) => view),
  );
}

export function serviceUsers(control: ControlApi): Operation[] {
  return serve(newerDefinition, handlers(control, asServiceUser));
}

function asServiceUser(view: BotUserView): BotUserView {
  return { ...view, id: serviceUserId(view.id) };
}

/** @param as how the resource shows a row: each of the two has its own prefix */
function handlers({ botUsers: service }: ControlApi, as: (view: BotUserView) => BotUserView) {
  const shown = (view: BotUserView | null) => (view === null ? null : as(view));
  return {
    async list({ caller }, { limit, beforeId }) {
      const before = beforeId === undefined ? {} : { beforeId: storedUserId(beforeId) };
      const { items, more } = await service.list(caller, { limit, ...before });
      return { items: items.map(as), more };
    },
    get: async ({ caller }, id) => shown(await service.get(caller, storedUserId(id))),
    create: async ({ caller }, input) => as(await service.create(caller, input)),
    update: async ({ caller }, id, patch) => shown(await service.update(caller, storedUserId(id), patch)),
    delete: ({ caller }, id) => service.remove(caller, storedUserId(id)),
  } satisfies Handlers<BotUserView, object, object>;
}
