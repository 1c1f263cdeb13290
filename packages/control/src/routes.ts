/** From what is stored or online to what the edge routes by. Pure. */
import type { AgentUpstream, EdgeRoute, RouteEndpoint, TlsMode } from '@postern/link';
import type { TunnelRecord } from '@postern/registry';
import type { EdgeRouteRow, EdgeRow, EndpointRow } from '@postern/store';
import { hostportAddress } from './addresses/hostports.ts';
import { formatUrl, visitorView, type AddressPlan } from './addresses/urls.ts';

const PASS_THROUGH: TlsMode = { at: 'agent' };
const OURS: TlsMode = { at: 'edge', cert: null, key: null };

export function routeOfCloud(row: EndpointRow, plan: AddressPlan): RouteEndpoint {
  return {
    id: row.id,
    accountId: row.accountId,
    kind: 'cloud',
    proto: row.scheme,
    binding: row.binding,
    host: row.host,
    port: row.port,
    url: formatUrl(row.scheme, row.host, row.port),
    publicUrl: visitorView(row, plan).publicUrl,
    pooling: row.poolingEnabled,
    policy: row.trafficPolicy,
    // A tls endpoint passes through unless its policy has terminate-tls, which the edge sees for itself.
    tls: row.scheme === 'tls' ? PASS_THROUGH : OURS,
    upstreams: [],
    routes: [],
  };
}

/** null for a labelled tunnel, which is reached through an edge only. */
export function routeOfAgent(tunnel: TunnelRecord): RouteEndpoint | null {
  const endpoint = tunnel.endpoint;
  if (endpoint === null) return null;
  return {
    id: endpoint.id,
    accountId: tunnel.accountId,
    kind: 'agent',
    proto: endpoint.scheme,
    binding: endpoint.binding,
    host: endpoint.host,
    port: endpoint.port,
    url: endpoint.url,
    publicUrl: endpoint.publicUrl,
    pooling: endpoint.poolingEnabled,
    policy: endpoint.effectivePolicy,
    tls: endpoint.tls,
    upstreams: [upstreamOf(tunnel)],
    routes: [],
  };
}

export function upstreamOf(tunnel: TunnelRecord): AgentUpstream {
  return {
    sessionId: tunnel.sessionId,
    tunnelId: tunnel.bindId,
    forwardsTo: tunnel.forwardsTo,
    protocol: protocolOf(tunnel),
    proxyProtocol: tunnel.endpoint?.proxyProtocol ?? 0,
  };
}

function protocolOf({ endpoint, forwardsProto }: TunnelRecord): AgentUpstream['protocol'] {
  if (endpoint?.websocketTcp === true) return 'bytes';
  return forwardsProto === 'http2' ? 'http2' : 'http1';
}

/** One endpoint per hostport. `tunnelsOf` gives the online tunnels of a backend. */
export function routesOfEdge(
  edge: EdgeRow,
  routes: readonly EdgeRouteRow[],
  tunnelsOf: (backendId: string) => readonly TunnelRecord[],
  plan: AddressPlan,
): RouteEndpoint[] {
  const upstreams = (backendId: string, enabled: boolean) =>
    backendId === '' || !enabled ? [] : tunnelsOf(backendId).map(upstreamOf);
  const edgeRoutes: EdgeRoute[] = routes.map((route) => ({
    matchType: route.matchType,
    match: route.match,
    upstreams: upstreams(route.backendId, route.backendEnabled),
  }));
  const own = edge.kind === 'https' ? [] : upstreams(edge.backendId, edge.backendEnabled);
  return edge.hostports.flatMap((entry): RouteEndpoint[] => {
    const address = hostportAddress(edge.kind, entry.hostport);
    if (address === null) return [];
    return [
      {
        id: entry.endpointId,
        accountId: edge.accountId,
        kind: 'edge',
        proto: address.scheme,
        binding: 'public',
        host: address.host,
        port: address.port,
        url: address.url,
        publicUrl: visitorView(address, plan).publicUrl,
        pooling: false,
        policy: '',
        tls: edge.kind === 'tls' ? PASS_THROUGH : OURS,
        upstreams: own,
        routes: edgeRoutes,
      },
    ];
  });
}
