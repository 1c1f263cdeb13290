/**
 * Which endpoint an address belongs to. Filled by route updates (a snapshot, then changes), read by every connection
 * and request: all lookups are Map reads, members of a pool share one Route, and a policy is compiled once per text.
 */
import type { LiveEndpoint, Log, Route, RouteTable } from '../context.ts';
import type { RouteEndpoint, RouteUpdate } from '@postern/link';
import type { InternalAddress } from '@postern/policy';
import { HostMap, wildcardsOver } from './host-map.ts';
import { PassthroughNames } from './passthrough-names.ts';
import { enliven, type PolicyCompiler } from './live-endpoint.ts';

export interface RouteTableOptions {
  readonly compile: PolicyCompiler;
  readonly log: Log;
}

export function createRouteTable(options: RouteTableOptions): RouteTable {
  return new Table(options);
}

class Table implements RouteTable {
  revision = 0;
  readonly #compile: PolicyCompiler;
  readonly #log: Log;
  #byId = new Map<string, LiveEndpoint>();
  #places = new Map<string, HostMap>();
  #ports = new Map<number, Route>();
  readonly #passthrough = new PassthroughNames();

  constructor(options: RouteTableOptions) {
    this.#compile = options.compile;
    this.#log = options.log;
  }

  get size(): number {
    return this.#byId.size;
  }

  apply(update: RouteUpdate): void {
    const before = this.#byId;
    if (update.snapshot) {
      for (const { endpoint } of before.values()) this.#passthrough.left(endpoint);
      this.#byId = new Map();
      this.#places = new Map();
      this.#ports = new Map();
    }
    for (const id of update.removes) this.#remove(id);
    for (const endpoint of update.upserts) this.#put(endpoint, before.get(endpoint.id));
    this.revision = update.revision;
  }

  findHttp(scheme: 'http' | 'https', host: string): Route | null {
    return this.#places.get(scheme)?.find(host) ?? null;
  }

  findTls(serverName: string): Route | null {
    const tls = this.#places.get('tls');
    const https = this.#places.get('https');
    const exact = tls?.exact(serverName) ?? https?.exact(serverName);
    if (exact !== null && exact !== undefined) return exact;
    for (const pattern of wildcardsOver(serverName)) {
      const route = tls?.exact(pattern) ?? https?.exact(pattern);
      if (route !== null && route !== undefined) return route;
    }
    return null;
  }

  isAwayPassthrough(serverName: string): boolean {
    return this.#passthrough.has(serverName);
  }

  findTcp(port: number): Route | null {
    return this.#ports.get(port) ?? null;
  }

  findInternal(accountId: string, { scheme, host, port }: InternalAddress): Route | null {
    return this.#places.get(internalPlace(accountId, scheme, port))?.find(host) ?? null;
  }

  findKubernetes(accountId: string, host: string, port: number): Route | null {
    return this.#places.get(kubernetesPlace(accountId, port))?.find(host) ?? null;
  }

  tcpPorts(): ReadonlySet<number> {
    return new Set(this.#ports.keys());
  }

  #put(endpoint: RouteEndpoint, previous: LiveEndpoint | undefined): void {
    const live = enliven(endpoint, previous, this.#compile, this.#log);
    const current = this.#byId.get(endpoint.id);
    // Replaced in place when the address is the same, so that no lookup finds it missing and pools keep their order.
    if (current !== undefined && !sameAddress(current.endpoint, endpoint)) this.#remove(endpoint.id);
    this.#byId.set(endpoint.id, live);
    if (endpoint.proto === 'https' || endpoint.proto === 'tls') this.#passthrough.came(endpoint);
    if (isPublicTcp(endpoint)) {
      const members = this.#ports.get(endpoint.port)?.members.filter((m) => m.endpoint.id !== endpoint.id) ?? [];
      this.#ports.set(endpoint.port, { members: [...members, live] });
      return;
    }
    const place = placeOf(endpoint);
    let hosts = this.#places.get(place);
    if (hosts === undefined) this.#places.set(place, (hosts = new HostMap()));
    hosts.put(endpoint.host, live);
  }

  #remove(id: string): void {
    const live = this.#byId.get(id);
    if (live === undefined) return;
    this.#byId.delete(id);
    const { endpoint } = live;
    this.#passthrough.left(endpoint);
    if (isPublicTcp(endpoint)) {
      const members = this.#ports.get(endpoint.port)?.members.filter((member) => member.endpoint.id !== id) ?? [];
      if (members.length === 0) this.#ports.delete(endpoint.port);
      else this.#ports.set(endpoint.port, { members });
      return;
    }
    const place = placeOf(endpoint);
    const hosts = this.#places.get(place);
    hosts?.remove(endpoint.host, id);
    if (hosts?.size === 0) this.#places.delete(place);
  }
}

function isPublicTcp(endpoint: RouteEndpoint): boolean {
  return endpoint.binding === 'public' && endpoint.proto === 'tcp';
}

/** Name of the HostMap that an endpoint belongs to. */
function placeOf(endpoint: RouteEndpoint): string {
  if (endpoint.binding === 'public') return endpoint.proto;
  if (endpoint.binding === 'internal') return internalPlace(endpoint.accountId, endpoint.proto, endpoint.port);
  return kubernetesPlace(endpoint.accountId, endpoint.port);
}

function internalPlace(accountId: string, scheme: string, port: number): string {
  return `internal ${accountId} ${scheme} ${port}`;
}

function kubernetesPlace(accountId: string, port: number): string {
  return `kubernetes ${accountId} ${port}`;
}

function sameAddress(a: RouteEndpoint, b: RouteEndpoint): boolean {
  if (isPublicTcp(a) || isPublicTcp(b)) return isPublicTcp(a) && isPublicTcp(b) && a.port === b.port;
  return a.host === b.host && placeOf(a) === placeOf(b);
}
