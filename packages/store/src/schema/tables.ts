/** The tables as the code of today reads and writes them. How a database came to have them: `migrations/`. */
import type {
  AccountRow,
  ApiKeyRow,
  BotUserRow,
  CredentialRow,
  EdgeRouteRow,
  EdgeRow,
  EndpointRow,
  ReservedAddrRow,
  ReservedDomainRow,
  TableName,
  TunnelGroupBackendRow,
} from '../types.ts';
import { tableOf, type TableShape } from './column.ts';

/** What every resource has. */
const ROW = { id: 'text', accountId: 'text', createdAt: 'text' } as const;
/** Lists go by account, newest first. */
const LISTED = ['accountId', 'id'] as const;

export const TABLES: Readonly<Record<TableName, TableShape>> = {
  botUsers: tableOf<BotUserRow>('bot_users', { ...ROW, name: 'text', active: 'boolean' }, { indexed: [LISTED] }),
  credentials: tableOf<CredentialRow>(
    'credentials',
    {
      ...ROW,
      description: 'text',
      metadata: 'text',
      ownerId: 'text',
      acl: 'json',
      tokenHash: 'text',
      isDefault: 'boolean',
    },
    { indexed: [LISTED, ['ownerId'], ['isDefault']] },
  ),
  apiKeys: tableOf<ApiKeyRow>(
    'api_keys',
    { ...ROW, description: 'text', metadata: 'text', ownerId: 'text', tokenHash: 'text' },
    { indexed: [LISTED, ['ownerId']] },
  ),
  reservedDomains: tableOf<ReservedDomainRow>(
    'reserved_domains',
    { ...ROW, domain: 'text', description: 'text', metadata: 'text', automatic: 'boolean', region: 'text' },
    { unique: [['domain']], indexed: [LISTED] },
  ),
  reservedAddrs: tableOf<ReservedAddrRow>(
    'reserved_addrs',
    {
      ...ROW,
      addr: 'text',
      port: 'integer',
      description: 'text',
      metadata: 'text',
      automatic: 'boolean',
      region: 'text',
    },
    { unique: [['addr']], indexed: [LISTED, ['port']] },
  ),
  endpoints: tableOf<EndpointRow>(
    'endpoints',
    {
      ...ROW,
      updatedAt: 'text',
      url: 'text',
      scheme: 'text',
      host: 'text',
      port: 'integer',
      binding: 'text',
      poolingEnabled: 'boolean',
      // May hold passwords and private keys.
      trafficPolicy: 'secret',
      description: 'text',
      metadata: 'text',
      domainId: 'text',
      tcpAddrId: 'text',
      principalId: 'text',
    },
    {
      // Whether two endpoints may share a URL depends on pooling, which is a rule of control and no unique index.
      indexed: [LISTED, ['url'], ['host', 'port'], ['domainId'], ['tcpAddrId'], ['principalId']],
    },
  ),
  edges: tableOf<EdgeRow>(
    'edges',
    {
      ...ROW,
      kind: 'text',
      updatedAt: 'text',
      description: 'text',
      metadata: 'text',
      hostports: 'json',
      backendId: 'text',
      backendEnabled: 'boolean',
    },
    { indexed: [LISTED, ['kind'], ['backendId']] },
  ),
  edgeRoutes: tableOf<EdgeRouteRow>(
    'edge_routes',
    {
      ...ROW,
      edgeId: 'text',
      matchType: 'text',
      match: 'text',
      description: 'text',
      metadata: 'text',
      backendId: 'text',
      backendEnabled: 'boolean',
    },
    { indexed: [LISTED, ['edgeId'], ['backendId']] },
  ),
  tunnelGroupBackends: tableOf<TunnelGroupBackendRow>(
    'tunnel_group_backends',
    { ...ROW, description: 'text', metadata: 'text', labels: 'json' },
    { indexed: [LISTED] },
  ),
};

export function isTableName(name: string): name is TableName {
  return Object.hasOwn(TABLES, name);
}

export const ACCOUNTS: TableShape = tableOf<AccountRow>(
  'accounts',
  { id: 'text', name: 'text', ownerUserId: 'text', createdAt: 'text' },
  {},
);
