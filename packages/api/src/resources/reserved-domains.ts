import type { ControlApi, DomainCertificates } from '@postern/control';
import { reservedDomains as definition } from '@postern/resources';
import { NO_QUERY } from '../pipeline/query.ts';
import { NO_CONTENT, param, type Operation } from '../resource/operation.ts';
import { handlersOf, serve } from '../resource/serve.ts';

/** Names that an account holds. */
export function reservedDomains({ reservedDomains: service, domainCertificates }: ControlApi): Operation[] {
  return [
    ...serve(definition, handlersOf(service), { is_dev: () => false }),
    part('certificate', (caller, id) => domainCertificates.dropCertificate(caller, id)),
    part('certificate_management_policy', (caller, id) => domainCertificates.dropPolicy(caller, id)),
  ];
}

function part(name: string, drop: DomainCertificates['dropCertificate']): Operation {
  return {
    method: 'DELETE',
    path: `/reserved_domains/:id/${name}`,
    ids: { id: definition.idPrefixes },
    query: NO_QUERY,
    body: null,
    handle: async (call) => ((await drop(call.caller, param(call, 'id'))) ? NO_CONTENT : null),
  };
}
