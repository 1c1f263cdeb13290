import type { RouteEndpoint } from './endpoint.ts';
import type { Binding, Scheme } from './model.ts';

/** An address of an agent's endpoint, or of an edge whose tunnels agents hold. */
export interface AgentName {
  readonly binding: Binding;
  readonly accountId: string;
  readonly proto: Scheme;
  readonly host: string;
  readonly port: number;
}

/** One whose agent is on its way back after a restart, until then (Unix milliseconds). */
export interface ExpectedName extends AgentName {
  readonly until: number;
}

/** The same for addresses that visitors cannot tell apart. */
export function nameKey({ binding, accountId, proto, host, port }: AgentName): string {
  if (binding === 'internal') return `${accountId} ${proto} ${host} ${port}`;
  if (binding === 'kubernetes') return `kubernetes ${accountId} ${proto} ${host} ${port}`;
  return proto === 'tcp' ? `tcp ${port}` : `${proto} ${host}`;
}

/** Whether agents serve it now, be it a part of it. */
export function isServed({ kind, upstreams, routes }: RouteEndpoint): boolean {
  if (kind !== 'edge') return kind === 'agent';
  return upstreams.length > 0 || routes.some((route) => route.upstreams.length > 0);
}

/** Whether it is an edge some of whose tunnels are away. */
export function isWaiting({ kind, upstreams, routes }: RouteEndpoint): boolean {
  if (kind !== 'edge') return false;
  return routes.length === 0 ? upstreams.length === 0 : routes.some((route) => route.upstreams.length === 0);
}
