import type { ControlApi } from '@postern/control';
import { reservedDomains as definition } from '@postern/resources';
import { fail } from '@postern/errors';
import { NO_QUERY } from '../pipeline/query.ts';
import { param, type Operation } from '../resource/operation.ts';
import { handlersOf, serve } from '../resource/serve.ts';

/** Names that an account holds. */
export function reservedDomains({ reservedDomains: service }: ControlApi): Operation[] {
  const own = serve(definition, handlersOf(service), { certificate: () => null, is_dev: () => false });
  return [...own, ...['certificate', 'certificate_management_policy'].map((part) => unservedPart(service, part))];
}

/**
 * Published paths below a domain that have no meaning here. A 404 would tell clients that the domain is gone; a domain
 * that is gone is the only one.
 */
function unservedPart(service: ControlApi['reservedDomains'], part: string): Operation {
  return {
    method: 'DELETE',
    path: `/reserved_domains/:id/${part}`,
    ids: { id: definition.idPrefixes },
    query: NO_QUERY,
    body: null,
    async handle(call) {
      if ((await service.get(call.caller, param(call, 'id'))) === null) return null;
      throw fail(90078, { part });
    },
  };
}
