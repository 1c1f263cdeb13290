/** Fixed once released: a change of the tables is a migration of its own. */
import { tableShape } from '../schema/column.ts';
import type { Migration } from './step.ts';

const LISTED = ['accountId', 'id'];

const accounts = tableShape('accounts', { id: 'text', name: 'text', ownerUserId: 'text', createdAt: 'text' });

const botUsers = tableShape(
  'bot_users',
  { id: 'text', accountId: 'text', createdAt: 'text', name: 'text', active: 'boolean' },
  { indexed: [LISTED] },
);

const credentials = tableShape(
  'credentials',
  {
    id: 'text',
    accountId: 'text',
    createdAt: 'text',
    description: 'text',
    metadata: 'text',
    ownerId: 'text',
    acl: 'json',
    tokenHash: 'text',
    isDefault: 'boolean',
  },
  { indexed: [LISTED, ['ownerId'], ['isDefault']] },
);

const apiKeys = tableShape(
  'api_keys',
  {
    id: 'text',
    accountId: 'text',
    createdAt: 'text',
    description: 'text',
    metadata: 'text',
    ownerId: 'text',
    tokenHash: 'text',
  },
  { indexed: [LISTED, ['ownerId']] },
);

const reservedDomains = tableShape(
  'reserved_domains',
  {
    id: 'text',
    accountId: 'text',
    createdAt: 'text',
    domain: 'text',
    description: 'text',
    metadata: 'text',
    automatic: 'boolean',
  },
  { unique: [['domain']], indexed: [LISTED] },
);

const reservedAddrs = tableShape(
  'reserved_addrs',
  {
    id: 'text',
    accountId: 'text',
    createdAt: 'text',
    addr: 'text',
    port: 'integer',
    description: 'text',
    metadata: 'text',
    automatic: 'boolean',
  },
  { unique: [['addr']], indexed: [LISTED, ['port']] },
);

const endpoints = tableShape(
  'endpoints',
  {
    id: 'text',
    accountId: 'text',
    createdAt: 'text',
    updatedAt: 'text',
    url: 'text',
    scheme: 'text',
    host: 'text',
    port: 'integer',
    binding: 'text',
    poolingEnabled: 'boolean',
    trafficPolicy: 'text',
    description: 'text',
    metadata: 'text',
    domainId: 'text',
    tcpAddrId: 'text',
    principalId: 'text',
  },
  { indexed: [LISTED, ['url'], ['host', 'port'], ['domainId'], ['tcpAddrId'], ['principalId']] },
);

const edges = tableShape(
  'edges',
  {
    id: 'text',
    accountId: 'text',
    createdAt: 'text',
    kind: 'text',
    updatedAt: 'text',
    description: 'text',
    metadata: 'text',
    hostports: 'json',
    backendId: 'text',
    backendEnabled: 'boolean',
  },
  { indexed: [LISTED, ['kind'], ['backendId']] },
);

const edgeRoutes = tableShape(
  'edge_routes',
  {
    id: 'text',
    accountId: 'text',
    createdAt: 'text',
    edgeId: 'text',
    matchType: 'text',
    match: 'text',
    description: 'text',
    metadata: 'text',
    backendId: 'text',
    backendEnabled: 'boolean',
  },
  { indexed: [LISTED, ['edgeId'], ['backendId']] },
);

const tunnelGroupBackends = tableShape(
  'tunnel_group_backends',
  { id: 'text', accountId: 'text', createdAt: 'text', description: 'text', metadata: 'text', labels: 'json' },
  { indexed: [LISTED] },
);

export const resources: Migration = {
  version: 1,
  name: 'accounts, resources of endpoints, change log',
  steps: [
    { do: 'create-settings' },
    { do: 'create-change-log' },
    ...[
      accounts,
      botUsers,
      credentials,
      apiKeys,
      reservedDomains,
      reservedAddrs,
      endpoints,
      edges,
      edgeRoutes,
      tunnelGroupBackends,
    ].map((table) => ({ do: 'create-table' as const, table })),
    { do: 'first-account' },
  ],
};
