/** Edges and the labelled tunnels behind them: whose routes change when a tunnel comes or goes. */
import type { RouteEndpoint } from '@postern/link';
import type { TunnelRecord } from '@postern/registry';
import type { EdgeRow } from '@postern/store';
import type { Core } from './core.ts';
import { routesOfEdge } from './routes.ts';

/** The route endpoints of these edges as of now. */
export async function routesOfEdges(core: Core, edges: readonly EdgeRow[]): Promise<RouteEndpoint[]> {
  const tunnels = new Map<string, TunnelRecord[]>();
  for (const edge of edges) {
    const routes = core.catalog.routesOf(edge.id);
    for (const backendId of [edge.backendId, ...routes.map((route) => route.backendId)]) {
      const backend = backendId === '' || tunnels.has(backendId) ? null : core.catalog.backends.get(backendId);
      if (backend === null) continue;
      tunnels.set(backendId, await core.registry.tunnelsWithLabels(backend.accountId, backend.labels));
    }
  }
  return edges.flatMap((edge) =>
    routesOfEdge(edge, core.catalog.routesOf(edge.id), (id) => tunnels.get(id) ?? [], core.config),
  );
}

/** Edges of the account whose tunnel groups take in one of these tunnels. */
export function edgesReaching(core: Core, tunnels: readonly TunnelRecord[]): EdgeRow[] {
  const found = new Map<string, EdgeRow>();
  for (const tunnel of tunnels) {
    const labels = tunnel.labels;
    if (labels === null) continue;
    for (const backend of core.catalog.backends.list(tunnel.accountId)) {
      const matches = Object.entries(backend.labels).every(([name, value]) => labels[name] === value);
      if (!matches) continue;
      for (const edge of core.catalog.edgesUsing(backend.id)) found.set(edge.id, edge);
    }
  }
  return [...found.values()];
}
