import type { TrafficEvent } from '@postern/link';
import { pathOf } from './dispatch.ts';
import type { Exchange } from './exchange.ts';
import { sentTarget } from './policy-views.ts';

/** One request, as it is counted and shown; a policy's own request is one of the endpoint that it calls. */
export function trafficEvent(exchange: Exchange, reason: string, now: number): TrafficEvent {
  const { entry } = exchange;
  return {
    kind: 'http',
    endpointId: entry?.endpoint.id ?? '',
    accountId: entry?.endpoint.accountId ?? '',
    startedAt: exchange.startedAt,
    durationMs: now - exchange.startedAt,
    clientAddr: exchange.visitor.connection.clientAddr,
    bytesIn: exchange.bytesIn,
    bytesOut: exchange.bytesOut,
    method: exchange.method,
    host: exchange.authority,
    path: pathOf(sentTarget(exchange)),
    status: exchange.status,
    errorCode: exchange.errorCode,
    reason,
  };
}
