import type { Binding, Scheme } from './model.ts';

/** An address of an agent's endpoint, whoever serves it. */
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
