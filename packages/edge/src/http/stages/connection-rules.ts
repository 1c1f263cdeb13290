/**
 * `on_tcp_connect` of plain http endpoints. Nothing names the endpoint before the first request, so its connection
 * rules run then, once for each endpoint (and each revision of its policy) that a connection turns to.
 */
import type { Outcome } from '@postern/policy';
import type { EdgeContext, LiveEndpoint } from '../../context.ts';
import { connectionContext } from '../policy/views.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Requester } from '../exchange/requester.ts';

/** @returns null when this connection has been let in already, or there are no rules */
export function connectionRules(
  edge: EdgeContext,
  exchange: Exchange,
  live: LiveEndpoint,
): Outcome | Promise<Outcome> | null {
  const { requester } = exchange;
  const phase = live.policy?.onTcpConnect ?? null;
  if (phase === null || requester.connection.scheme !== 'http' || requester.admitted?.has(live) === true) return null;
  return phase.start(connectionContext(edge, exchange, live)).next();
}

export function admit(requester: Requester, live: LiveEndpoint): void {
  // A believed proxy's connection carries other visitors, too: each request is asked about.
  if (requester.connection.fromTrustedProxy) return;
  requester.admitted ??= new Set();
  requester.admitted.add(live);
}
