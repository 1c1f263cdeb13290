import { eachPlain, type Fields } from '@postern/resources';
import type { Repository, Row } from '@postern/store';
import type { Core } from '../core.ts';
import type { PlainServices } from '../types.ts';
import { apiKeys } from './api-keys.ts';
import { applicationSessions, applicationUsers } from './application-logins.ts';
import { botUsers } from './bot-users.ts';
import { certificateAuthorities } from './certificate-authorities.ts';
import { credentials } from './credentials.ts';
import { crud } from './crud.ts';
import type { Hooks, PlainHooks } from './hooks.ts';
import { reservedAddrs } from './reserved-addrs.ts';
import { reservedDomains } from './reserved-domains.ts';
import { vaultSecrets } from './vault-secrets.ts';
import { tlsCertificates } from './tls-certificates.ts';
import { tunnelGroupBackends } from './tunnel-group-backends.ts';

/** What plain resources have of their own; most have nothing, and no line here. */
const HOOKS: PlainHooks = {
  reservedDomains,
  reservedAddrs,
  botUsers,
  credentials,
  apiKeys,
  tunnelGroupBackends,
  vaultSecrets,
  certificateAuthorities,
  tlsCertificates,
  applicationUsers,
  applicationSessions,
};

/** The services of all plain resources, one for each definition in `@postern/resources`. */
export function createPlain(core: Core): PlainServices {
  const services = eachPlain((definition, name) => {
    // The table and the hooks of a name are those of its definition (`PlainHooks`, `Tables`); a loop cannot say that.
    /* oxlint-disable typescript/no-unsafe-type-assertion */
    const table = core.store[name] as unknown as Repository<Row>;
    const hooks = (HOOKS[name]?.(core) ?? {}) as unknown as Hooks<Fields, Row>;
    /* oxlint-enable typescript/no-unsafe-type-assertion */
    return crud(core, { name, definition, table, hooks });
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return services as unknown as PlainServices;
}
