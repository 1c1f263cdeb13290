import type { ControlApi } from '@postern/control';
import { eachPlain, type PlainName } from '@postern/resources';
import { listedBelow, type AnyService } from '../resource/below.ts';
import type { Operation } from '../resource/operation.ts';
import { handlersOf, serve } from '../resource/serve.ts';
import { httpsEdges, tcpEdges, tlsEdges } from './edges.ts';
import { endpoints } from './endpoints.ts';
import { managedCertificates } from './managed-certificates.ts';
import { reservedDomains } from './reserved-domains.ts';
import { root } from './root.ts';
import { tunnelSessions } from './tunnel-sessions.ts';
import { tunnels } from './tunnels.ts';
import { botUsers, serviceUsers } from './users.ts';

type Served = (control: ControlApi) => Operation[];

/** Those that are more than rows of their own. */
const SPECIAL: readonly Served[] = [
  endpoints,
  tunnels,
  tunnelSessions,
  managedCertificates,
  serviceUsers,
  httpsEdges,
  tlsEdges,
  tcpEdges,
];
/** Plain ones whose answers or paths are more than their definition says. */
const OWN: { readonly [N in PlainName]?: Served } = { reservedDomains, botUsers };

/** Everything that this API serves. A plain resource is served by its definition. */
export function operationsOf(control: ControlApi, version: string): Operation[] {
  const plain = eachPlain((definition, name) => [
    ...(OWN[name]?.(control) ?? serve(definition, handlersOf(serviceOf(control, name)))),
    ...listedBelow(definition, (other) => serviceOf(control, other)),
  ]);
  const operations = [...SPECIAL.flatMap((resource) => resource(control)), ...Object.values(plain).flat()];
  const collections = operations.filter(
    ({ method, ids, query }) => method === 'GET' && query.paged && ids['id'] === undefined,
  );
  return [
    root(
      version,
      collections.map(({ path }) => path),
    ),
    ...operations,
  ];
}

/** The service of a name has the types of its definition; a loop over all cannot say that. */
function serviceOf(control: ControlApi, name: PlainName): AnyService {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return control[name] as unknown as AnyService;
}
