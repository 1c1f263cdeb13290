import type { ControlApi, ReservedDomainView } from '@postern/control';
import { fail } from '@postern/errors';
import { z } from 'zod';
import { fields, mapped } from '../pipeline/body.ts';
import { defineResource } from '../resource/define.ts';
import type { Operation } from '../resource/operation.ts';
import type { Urls } from '../wire/urls.ts';
import { omitEmpty, type WireObject } from '../wire/values.ts';

const TEXTS = { description: z.string().optional(), metadata: z.string().optional() };

/** Published fields whose meaning this server does not have yet; named, so that they are refused and not unknown. */
const LATER = {
  certificate_id: z.unknown().optional(),
  certificate_management_policy: z.unknown().optional(),
  resolves_to: z.unknown().optional(),
};

const CREATE = mapped(
  fields({
    ...TEXTS,
    domain: z.string().optional(),
    name: z.string().optional(),
    region: z.string().optional(),
    ...LATER,
  }),
  withoutLater,
);
const UPDATE = mapped(fields({ ...TEXTS, ...LATER }), withoutLater);

/** Names that an account holds (api.md §6). */
export function reservedDomains({ reservedDomains: service }: ControlApi): Operation[] {
  return defineResource({
    path: '/reserved_domains',
    listKey: 'reserved_domains',
    idPrefixes: ['rd'],
    filter: {
      kinds: {
        id: 'id',
        created_at: 'time',
        description: 'string',
        metadata: 'string',
        domain: 'string',
        region: 'string',
        cname_target: 'string',
        certificate: 'ref',
        acme_challenge_cname_target: 'string',
      },
    },
    render: renderDomain,
    list: (caller, page) => service.list(caller, page),
    get: (caller, id) => service.get(caller, id),
    create: { body: CREATE, run: (caller, input) => service.create(caller, input) },
    update: { body: UPDATE, run: (caller, id, patch) => service.update(caller, id, patch) },
    remove: (caller, id) => service.remove(caller, id),
  });
}

interface Later {
  readonly certificateId?: unknown;
  readonly certificateManagementPolicy?: unknown;
  readonly resolvesTo?: unknown;
}

function withoutLater<T extends Later>(body: T): Omit<T, keyof Later> {
  const { certificateId, certificateManagementPolicy, resolvesTo, ...rest } = body;
  const reason = 'certificates come from the server: its local CA, or the files that it was given';
  if (certificateId !== undefined) throw fail(90076, { field: 'certificate_id', reason });
  if (certificateManagementPolicy !== undefined) throw fail(90076, { field: 'certificate_management_policy', reason });
  if (resolvesTo !== undefined) {
    throw fail(90076, { field: 'resolves_to', reason: 'every name resolves to this server' });
  }
  return rest;
}

function renderDomain(view: ReservedDomainView, urls: Urls): WireObject & { readonly id: string } {
  return {
    id: view.id,
    uri: urls.at(`/reserved_domains/${view.id}`),
    created_at: view.createdAt,
    description: omitEmpty(view.description),
    metadata: omitEmpty(view.metadata),
    domain: view.domain,
    region: '',
    cname_target: view.cnameTarget,
    certificate: null,
    // null tells the operator that the name needs no certificate work and is ready (api.md §6).
    certificate_management_policy: null,
    certificate_management_status: null,
    acme_challenge_cname_target: null,
    error_redirect_url: null,
    http_endpoint_configuration: null,
    https_endpoint_configuration: null,
    is_dev: false,
  };
}
