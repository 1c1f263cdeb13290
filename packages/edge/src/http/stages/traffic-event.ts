import type { TrafficEvent } from '@postern/link';
import { pathOf } from './dispatch.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { sentTarget } from '../exchange/message.ts';

/** One request, as it is counted and shown; a policy's own request is one of the endpoint that it calls. */
export function trafficEvent(exchange: Exchange, reason: string, now: number): TrafficEvent {
  const { entry, request } = exchange;
  return {
    kind: 'http',
    endpointId: entry?.endpoint.id ?? '',
    accountId: entry?.endpoint.accountId ?? '',
    startedAt: exchange.startedAt,
    durationMs: now - exchange.startedAt,
    clientAddr: exchange.requester.connection.clientAddr,
    bytesIn: exchange.bytesIn,
    bytesOut: exchange.bytesOut,
    method: request.method,
    host: request.authority,
    path: pathOf(sentTarget(request)),
    status: exchange.status,
    errorCode: exchange.errorCode,
    reason,
    access: exchange.access,
  };
}
