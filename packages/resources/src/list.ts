import type { Resource } from './model/resource.ts';
import { apiKeys } from './api-keys.ts';
import { tunnelGroupBackends } from './backends.ts';
import { credentials } from './credentials.ts';
import { edgeRoutes, httpsEdges, tcpEdges, tlsEdges } from './edges.ts';
import { endpoints } from './endpoints.ts';
import { reservedAddrs } from './reserved-addrs.ts';
import { reservedDomains } from './reserved-domains.ts';
import { tunnelSessions } from './tunnel-sessions.ts';
import { tunnels } from './tunnels.ts';
import { botUsers, serviceUsers } from './users.ts';

/** Every resource of the API, in the order of documents. */
export const RESOURCES: readonly Resource[] = [
  endpoints,
  reservedDomains,
  reservedAddrs,
  tunnels,
  tunnelSessions,
  botUsers,
  serviceUsers,
  credentials,
  apiKeys,
  httpsEdges,
  edgeRoutes,
  tlsEdges,
  tcpEdges,
  tunnelGroupBackends,
];
