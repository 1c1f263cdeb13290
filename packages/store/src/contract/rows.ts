/** One row of every table, with values that a careless column would bend. */
import type { ReservedDomainRow, Tables } from '../types.ts';

const AT = '2026-11-24T23:15:57Z';
/** Quotes, a NUL, something outside the first plane, both line ends. */
const ODD = `it's "odd"\u0000 🚪 \r\n\t\\ ; DROP TABLE`;
const base = { accountId: 'ac_1', createdAt: AT };

export function exampleRows(): Tables {
  return {
    botUsers: { ...base, id: 'bot_1', name: ODD, active: false },
    credentials: {
      ...base,
      id: 'cr_1',
      description: '',
      metadata: ODD,
      ownerId: 'bot_1',
      acl: ['bind:*.example.com', ODD, ''],
      tokenHash: 'a'.repeat(64),
      isDefault: true,
    },
    apiKeys: { ...base, id: 'ak_1', description: ODD, metadata: '', ownerId: '', tokenHash: 'b'.repeat(64) },
    reservedDomains: domainRow('rd_1', '*.example.com'),
    reservedAddrs: {
      ...base,
      id: 'ra_1',
      addr: 'localhost:20000',
      port: 20000,
      description: '',
      metadata: '',
      automatic: true,
      region: 'us',
    },
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
    tunnelGroupBackends: {
      ...base,
      id: 'bkdtg_1',
      description: '',
      metadata: '',
      labels: { app: 'x', toString: ODD, '': '' },
    },
  };
}

export function domainRow(id: string, domain: string, accountId = 'ac_1'): ReservedDomainRow {
  return { ...base, id, accountId, domain, description: '', metadata: '', automatic: false, region: '' };
}
