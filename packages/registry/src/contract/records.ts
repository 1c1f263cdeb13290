/** Records for the contract suite: everything filled in, the interesting parts given. */
import type { OnlineEndpoint, SessionRecord, TunnelRecord } from '../types.ts';

export function sessionRecord(given: Partial<SessionRecord> & { readonly id: string }): SessionRecord {
  return {
    accountId: 'ac_1',
    node: { id: 'node-1', epoch: 1 },
    clientId: `client-of-${given.id}`,
    legNumber: 0,
    credentialId: 'cr_1',
    agentVersion: '3.3.0',
    clientType: 'agent',
    userAgent: 'test/1',
    ip: '127.0.0.1',
    os: 'linux',
    region: 'local',
    startedAt: '2026-11-24T23:15:57Z',
    transport: 'ngrok/3',
    metadata: '',
    stopRefusal: null,
    restartRefusal: null,
    updateRefusal: null,
    ...given,
  };
}

export function tunnelRecord(
  given: Partial<TunnelRecord> & { readonly id: string; readonly sessionId: string },
): TunnelRecord {
  return {
    bindId: `bind-of-${given.id}`,
    accountId: 'ac_1',
    startedAt: '2026-11-24T23:15:57Z',
    updatedAt: '2026-11-24T23:15:57Z',
    metadata: '',
    description: '',
    name: '',
    forwardsTo: 'http://localhost:3000',
    forwardsProto: 'http1',
    labels: null,
    tookFrom: [],
    endpoint: null,
    ...given,
  };
}

export function onlineEndpoint(given: Partial<OnlineEndpoint> & { readonly host: string }): OnlineEndpoint {
  return {
    id: 'ep_1',
    url: `https://${given.host}`,
    publicUrl: `https://${given.host}`,
    scheme: 'https',
    port: 443,
    binding: 'public',
    poolingEnabled: false,
    trafficPolicy: '',
    effectivePolicy: '',
    domainId: '',
    tcpAddrId: '',
    principalId: 'usr_1',
    proxyProtocol: 0,
    websocketTcp: false,
    tls: { at: 'edge', cert: null, key: null },
    ...given,
  };
}
