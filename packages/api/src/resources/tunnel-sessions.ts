import type { ControlApi } from '@postern/control';
import { tunnelSessions as definition } from '@postern/resources';
import type { Operation } from '../resource/operation.ts';
import { serve } from '../resource/serve.ts';

/** Agents that are connected, and the three things that can be asked of one: stop, restart, update. */
export function tunnelSessions({ tunnelSessions: service }: ControlApi): Operation[] {
  return serve(definition, {
    list: ({ caller }, page) => service.list(caller, page),
    get: ({ caller }, id) => service.get(caller, id),
    actions: {
      stop: ({ caller }, id) => service.stop(caller, id),
      restart: ({ caller }, id) => service.restart(caller, id),
      update: ({ caller, body }, id) => service.update(caller, id, versionOf(body)),
    },
  });
}

/** '' asks for the newest one. */
function versionOf(body: unknown): string {
  if (typeof body !== 'object' || body === null || !('version' in body)) return '';
  return typeof body.version === 'string' ? body.version : '';
}
