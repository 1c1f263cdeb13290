/** Names whose TLS ends at an agent. While the agent is away nobody else may end it: not even to say that it is away. */
import type { RouteEndpoint } from '@postern/link';
import { wildcardsOver } from './host-map.ts';

/** Names are tenants' to multiply; the ones that left first are forgotten first. */
const MOST_NAMES = 10_000;

export class PassthroughNames {
  readonly #names = new Set<string>();

  /** An endpoint is not routed any more. */
  left(endpoint: RouteEndpoint): void {
    if (!endsAtAgent(endpoint)) return;
    this.#names.delete(endpoint.host);
    this.#names.add(endpoint.host);
    for (const oldest of this.#names) {
      if (this.#names.size <= MOST_NAMES) break;
      this.#names.delete(oldest);
    }
  }

  /** An endpoint is routed: from now on what it says counts. */
  came({ host }: RouteEndpoint): void {
    this.#names.delete(host);
  }

  /** Whether the name was last an agent's to end TLS for; asked for names that have no route. */
  has(serverName: string): boolean {
    if (this.#names.size === 0) return false;
    if (this.#names.has(serverName)) return true;
    for (const pattern of wildcardsOver(serverName)) if (this.#names.has(pattern)) return true;
    return false;
  }
}

function endsAtAgent({ proto, binding, tls, policy }: RouteEndpoint): boolean {
  return proto === 'tls' && binding === 'public' && tls.at === 'agent' && !policy.includes('terminate-tls');
}
