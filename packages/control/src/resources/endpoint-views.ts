import type { TunnelRecord } from '@postern/registry';
import type { EdgeHostport, EdgeRow, EndpointRow } from '@postern/store';
import { hostportAddress } from '../addresses/hostports.ts';
import { visitorView } from '../addresses/urls.ts';
import type { Core } from '../core.ts';
import { findFooting, isProblem } from '../reservations.ts';
import type { EndpointView } from '../types.ts';

const BLANK = {
  name: '',
  description: '',
  metadata: '',
  poolingEnabled: false,
  trafficPolicy: '',
  upstreamUrl: '',
  upstreamProtocol: '',
  domainId: '',
  tcpAddrId: '',
  principalId: '',
  tunnelId: '',
  tunnelSessionId: '',
  edge: null,
} as const;

export function cloudView(core: Core, row: EndpointRow): EndpointView {
  return {
    ...BLANK,
    id: row.id,
    region: '',
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    type: 'cloud',
    url: row.url,
    scheme: row.scheme,
    host: row.host,
    ...visitorView(row, core.config),
    description: row.description,
    metadata: row.metadata,
    bindings: [row.binding],
    poolingEnabled: row.poolingEnabled,
    trafficPolicy: row.trafficPolicy,
    domainId: row.domainId,
    tcpAddrId: row.tcpAddrId,
    principalId: row.principalId,
  };
}

/** null for a labelled tunnel. */
export function agentView(core: Core, tunnel: TunnelRecord): EndpointView | null {
  const endpoint = tunnel.endpoint;
  if (endpoint === null) return null;
  const { port, hostport, publicUrl } = visitorView(endpoint, core.config);
  return {
    ...BLANK,
    id: endpoint.id,
    region: core.config.region,
    createdAt: tunnel.startedAt,
    updatedAt: tunnel.updatedAt,
    type: 'ephemeral',
    url: publicUrl,
    publicUrl,
    scheme: endpoint.scheme,
    host: endpoint.host,
    port,
    hostport,
    name: tunnel.name,
    description: tunnel.description,
    metadata: tunnel.metadata,
    bindings: [endpoint.binding],
    poolingEnabled: endpoint.poolingEnabled,
    trafficPolicy: endpoint.trafficPolicy,
    upstreamUrl: tunnel.forwardsTo,
    upstreamProtocol: upstreamProtocolOf(endpoint.scheme, tunnel.forwardsProto),
    domainId: endpoint.domainId,
    tcpAddrId: endpoint.tcpAddrId,
    principalId: endpoint.principalId,
    tunnelId: tunnel.id,
    tunnelSessionId: tunnel.sessionId,
  };
}

export function edgeEndpointView(core: Core, edge: EdgeRow, entry: EdgeHostport): EndpointView | null {
  const address = hostportAddress(edge.kind, entry.hostport);
  if (address === null) return null;
  const footing = findFooting(core, edge.accountId, address);
  const refs = isProblem(footing) || footing.writes.length > 0 ? { domainId: '', tcpAddrId: '' } : footing;
  return {
    ...BLANK,
    id: entry.endpointId,
    region: '',
    createdAt: entry.createdAt,
    updatedAt: edge.updatedAt,
    type: 'edge',
    url: address.url,
    scheme: address.scheme,
    host: address.host,
    ...visitorView(address, core.config),
    description: edge.description,
    metadata: edge.metadata,
    bindings: ['public'],
    domainId: refs.domainId,
    tcpAddrId: refs.tcpAddrId,
    edge: { id: edge.id, kind: edge.kind },
  };
}

/** What is spoken to the service; '' where bytes just pass. */
function upstreamProtocolOf(scheme: EndpointView['scheme'], forwardsProto: string): string {
  if (scheme !== 'http' && scheme !== 'https') return '';
  return forwardsProto === 'http2' ? 'http2' : 'http1';
}
