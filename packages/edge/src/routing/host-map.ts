/**
 * Routes by host name. Exact names and wildcards (`*.example.com`, any depth below) share one Map; a wildcard is found
 * by taking labels off the front, so that the most specific one wins.
 */
import type { LiveEndpoint, Route } from '../context.ts';

export class HostMap {
  readonly #routes = new Map<string, Route>();

  get size(): number {
    return this.#routes.size;
  }

  /** Adds a member to the address, or replaces the one with the same id in its place. */
  put(host: string, live: LiveEndpoint): void {
    const members = this.#routes.get(host)?.members ?? [];
    const at = members.findIndex((member) => member.endpoint.id === live.endpoint.id);
    this.#routes.set(host, { members: at < 0 ? [...members, live] : members.with(at, live) });
  }

  remove(host: string, id: string): void {
    const members = this.#routes.get(host)?.members.filter((member) => member.endpoint.id !== id) ?? [];
    if (members.length === 0) this.#routes.delete(host);
    else this.#routes.set(host, { members });
  }

  exact(host: string): Route | null {
    return this.#routes.get(host) ?? null;
  }

  /** Exact, then the most specific wildcard. */
  find(host: string): Route | null {
    const exact = this.#routes.get(host);
    if (exact !== undefined || this.#routes.size === 0) return exact ?? null;
    for (const pattern of wildcardsOver(host)) {
      const route = this.#routes.get(pattern);
      if (route !== undefined) return route;
    }
    return null;
  }
}

/** `a.b.example.com` → `*.b.example.com`, `*.example.com`, `*.com`. */
export function* wildcardsOver(host: string): Generator<string> {
  for (let dot = host.indexOf('.'); dot >= 0 && dot < host.length - 1; dot = host.indexOf('.', dot + 1)) {
    yield `*${host.slice(dot)}`;
  }
}
