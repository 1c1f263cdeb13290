import type { TunnelRecord } from '@postern/registry';
import { visitorView } from '../addresses/urls.ts';
import type { Core } from '../core.ts';
import type { TunnelService, TunnelView } from '../types.ts';
import { pageOf } from './paging.ts';

/** What agents have online: listeners with an address, and labelled ones. */
export function createTunnels(core: Core): TunnelService {
  function view(tunnel: TunnelRecord): TunnelView {
    const { id, startedAt, metadata, forwardsTo, sessionId, labels, endpoint } = tunnel;
    return {
      id,
      startedAt,
      metadata,
      forwardsTo,
      region: core.config.region,
      tunnelSessionId: sessionId,
      labels,
      endpoint:
        endpoint === null
          ? null
          : { id: endpoint.id, publicUrl: visitorView(endpoint, core.config).publicUrl, proto: endpoint.scheme },
    };
  }

  return {
    async get(caller, id) {
      const tunnel = await core.registry.getTunnel(id);
      return tunnel?.accountId === caller.accountId ? view(tunnel) : null;
    },
    async list(caller, query) {
      const { limit, beforeId = '' } = query;
      return pageOf(await core.registry.tunnelsBefore(caller.accountId, { beforeId, limit: limit + 1 }), limit, view);
    },
  };
}
