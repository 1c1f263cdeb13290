/** The tables as the code of today reads and writes them. How a database came to have them: `migrations/`. */
import { columnsOf, eachPlain, indexesOf } from '@postern/resources';
import type {
  AccountRow,
  AcmeAccountRow,
  AcmeOrderRow,
  EdgeRouteRow,
  EdgeRow,
  EndedLoginRow,
  EndpointRow,
  ManagedCertificateRow,
  TableName,
} from '../types.ts';
import { tableOf, tableShape, type TableShape } from './column.ts';

/** What every resource has. */
const ROW = { id: 'text', accountId: 'text', createdAt: 'text' } as const;
/** Lists go by account, newest first. */
const LISTED = ['accountId', 'id'] as const;

export const TABLES: Readonly<Record<TableName, TableShape>> = {
  // Their rows are typed by the same definitions.
  ...eachPlain((definition) =>
    tableShape(definition.name, columnsOf(definition), {
      unique: (definition.rows.unique ?? []).map(({ fields }) => fields),
      indexed: indexesOf(definition),
    }),
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
  endedLogins: tableOf<EndedLoginRow>(
    'ended_logins',
    { ...ROW, begunBefore: 'integer', until: 'integer', byVisitor: 'boolean' },
    { indexed: [LISTED] },
  ),
  managedCertificates: tableOf<ManagedCertificateRow>(
    'managed_certificates',
    {
      ...ROW,
      names: 'json',
      domainId: 'text',
      keyType: 'text',
      certificateId: 'text',
      directory: 'text',
      challenge: 'text',
      renewsAt: 'text',
      attempts: 'integer',
      retriesAt: 'text',
      errorCode: 'text',
      message: 'text',
      startedAt: 'text',
      holder: 'text',
      heldUntil: 'text',
    },
    { indexed: [LISTED, ['domainId'], ['certificateId']] },
  ),
  acmeAccounts: tableOf<AcmeAccountRow>(
    'acme_accounts',
    { ...ROW, directory: 'text', email: 'text', url: 'text', key: 'secret' },
    { unique: [['directory', 'email']], indexed: [LISTED] },
  ),
  acmeOrders: tableOf<AcmeOrderRow>(
    'acme_orders',
    { ...ROW, managedId: 'text', directory: 'text', url: 'text', names: 'json', key: 'secret', state: 'text' },
    { indexed: [LISTED, ['managedId']] },
  ),
};

// The keys are those of the type.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
export const TABLE_NAMES = Object.keys(TABLES) as readonly TableName[];

export function isTableName(name: string): name is TableName {
  return Object.hasOwn(TABLES, name);
}

export const ACCOUNTS: TableShape = tableOf<AccountRow>(
  'accounts',
  { id: 'text', name: 'text', ownerUserId: 'text', createdAt: 'text' },
  {},
);
