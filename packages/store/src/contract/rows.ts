/** One row of every table, with values that a careless column would bend. */
import { columnsOf, eachPlain, type ColumnKind, type PlainRows } from '@postern/resources';
import type { ReservedDomainRow, Tables } from '../types.ts';

const AT = '2026-11-24T23:15:57Z';
/** Quotes, a NUL, something outside the first plane, both line ends. */
const ODD = `it's "odd"\u0000 🚪 \r\n\t\\ ; DROP TABLE`;
const base = { accountId: 'ac_1', createdAt: AT };

export function exampleRows(): Tables {
  const plain = plainRows();
  return {
    ...plain,
    tunnelGroupBackends: { ...plain.tunnelGroupBackends, labels: { app: 'x', toString: ODD, '': '' } },
    endpoints: {
      ...base,
      id: 'ep_1',
      updatedAt: AT,
      url: 'https://app.example.com',
      scheme: 'https',
      host: 'app.example.com',
      port: 443,
      binding: 'public',
      poolingEnabled: true,
      trafficPolicy: `on_http_request:\n  - name: ${ODD}\n${'# padding\n'.repeat(5000)}`,
      description: '',
      metadata: '{"a":1}',
      domainId: 'rd_1',
      tcpAddrId: '',
      principalId: 'usr_1',
    },
    edges: {
      ...base,
      id: 'edghts_1',
      kind: 'https',
      updatedAt: AT,
      description: '',
      metadata: '',
      hostports: [
        { hostport: 'b.example.com:443', endpointId: 'ep_2', createdAt: AT },
        { hostport: 'a.example.com:443', endpointId: 'ep_3', createdAt: AT },
      ],
      backendId: '',
      backendEnabled: false,
    },
    edgeRoutes: {
      ...base,
      id: 'edghtsrt_1',
      edgeId: 'edghts_1',
      matchType: 'path_prefix',
      match: '/%2e%2e/',
      description: '',
      metadata: '',
      backendId: 'bkdtg_1',
      backendEnabled: true,
    },
    endedLogins: { ...base, id: 'as_1', begunBefore: 1_790_000_000_123, until: 1_790_000_000_456, byVisitor: true },
    managedCertificates: {
      ...base,
      id: 'mcert_1',
      names: ['*.example.com', ODD],
      domainId: 'rd_1',
      keyType: 'rsa',
      certificateId: 'cert_1',
      directory: 'https://ca.example/dir',
      challenge: ODD,
      renewsAt: AT,
      attempts: 3,
      retriesAt: '',
      errorCode: 'DNS_ERROR',
      message: ODD,
      startedAt: AT,
      holder: 'node',
      heldUntil: AT,
    },
    acmeAccounts: {
      ...base,
      id: 'acct_1',
      directory: 'https://ca.example/dir',
      email: 'me@example.com',
      url: '',
      key: ODD,
    },
    acmeOrders: {
      ...base,
      id: 'order_1',
      managedId: 'mcert_1',
      directory: 'https://ca.example/dir',
      url: 'https://ca.example/order/1',
      names: ['*.example.com'],
      key: ODD,
      state: 'open',
    },
  };
}

const NONE = { certificateId: '', authority: '', privateKeyType: '' };

export function domainRow(id: string, domain: string, accountId = 'ac_1'): ReservedDomainRow {
  return { ...base, id, accountId, domain, description: '', metadata: '', automatic: false, region: '', ...NONE };
}

const ODD_VALUES: Readonly<Record<ColumnKind, unknown>> = {
  text: ODD,
  secret: ODD,
  integer: 20_000,
  boolean: true,
  json: ['bind:*.example.com', ODD, ''],
};

type Entry = readonly [string, unknown];

/** From the columns of their definitions, so that a new one is judged as well. */
function plainRows(): PlainRows {
  const rows = eachPlain((definition) => {
    const odd = Object.entries(columnsOf(definition)).map(([name, kind]): Entry => [name, ODD_VALUES[kind]]);
    return { ...Object.fromEntries(odd), ...base, id: `${definition.idPrefixes[0]}_1` };
  });
  // Each value is of its column's kind, which is that of the row's type.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return rows as unknown as PlainRows;
}
