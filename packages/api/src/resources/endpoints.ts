import type { ControlApi } from '@postern/control';
import { endpoints as definition } from '@postern/resources';
import type { Operation } from '../resource/operation.ts';
import { handlersOf, serve } from '../resource/serve.ts';

/** Endpoints of all three kinds; only cloud endpoints are created and changed here. */
export function endpoints({ endpoints: service }: ControlApi): Operation[] {
  return serve(
    definition,
    {
      ...handlersOf(service),
      list: ({ caller }, page, { lists: { ids = [], urls = [] } }) =>
        service.list(caller, { ...page, ...(ids.length > 0 ? { ids } : {}), ...(urls.length > 0 ? { urls } : {}) }),
    },
    { edge: ({ edge }, urls) => (edge === null ? undefined : urls.ref(`/edges/${edge.kind}`, edge.id)) },
  );
}
