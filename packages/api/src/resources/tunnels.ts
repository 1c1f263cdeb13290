import type { ControlApi } from '@postern/control';
import { tunnels as definition } from '@postern/resources';
import type { Operation } from '../resource/operation.ts';
import { serve } from '../resource/serve.ts';

/** Tunnels of agents that are online; read only. Labelled ones have labels and no address of their own. */
export function tunnels({ tunnels: service }: ControlApi): Operation[] {
  return serve(
    definition,
    { list: ({ caller }, page) => service.list(caller, page), get: ({ caller }, id) => service.get(caller, id) },
    {
      public_url: ({ endpoint }) => endpoint?.publicUrl,
      proto: ({ endpoint }) => endpoint?.proto,
      endpoint: ({ endpoint }, urls) => (endpoint === null ? undefined : urls.ref('/endpoints', endpoint.id)),
      labels: ({ labels }) => labels ?? undefined,
      backends: () => undefined,
    },
  );
}
