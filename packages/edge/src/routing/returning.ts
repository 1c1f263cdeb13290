/**
 * Names that agents served when the last server ended: for as long as agents need to come back, a visitor is told to try
 * again, and not that nothing is there.
 */
import type { Binding, NamedScheme, RouteUpdate, Scheme } from '@postern/link';
import type { ReturningNames } from '../context.ts';
import { wildcardsOver } from './host-map.ts';
import { parseInternalUrl } from './internal-url.ts';

/** An address of an agent's endpoint. */
export interface AgentName {
  readonly binding: Binding;
  readonly accountId: string;
  readonly proto: Scheme;
  readonly host: string;
  readonly port: number;
}

/** One that is expected back, until then (Unix milliseconds). */
export interface ExpectedName extends AgentName {
  readonly until: number;
}

export interface ReturningOptions {
  readonly expected: readonly ExpectedName[];
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Names have come online or gone; not told which, as whoever keeps them keeps all. */
  readonly onChange: () => void;
}

export class Returning implements ReturningNames {
  readonly #now: () => number;
  readonly #onChange: () => void;
  readonly #expected = new Map<string, ExpectedName>();
  readonly #online = new Map<string, AgentName>();

  constructor({ expected, now, onChange }: ReturningOptions) {
    this.#now = now;
    this.#onChange = onChange;
    for (const name of expected) this.#expected.set(keyOf(name), name);
  }

  /** Whether the public name, which has no route now, is expected back. */
  expects(proto: NamedScheme, host: string): boolean {
    if (this.#expected.size === 0) return false;
    return this.#find(host, (pattern) => publicKey(proto, pattern));
  }

  /** The same for an internal endpoint by URL. */
  expectsInternal(accountId: string, url: string): boolean {
    if (this.#expected.size === 0) return false;
    const { scheme, host, port } = parseInternalUrl(url);
    return this.#find(host, (pattern) => internalKey(accountId, scheme, pattern, port));
  }

  /** An update has been applied to the routes. */
  applied(update: RouteUpdate): void {
    let changed = update.snapshot && this.#online.size > 0;
    if (update.snapshot) this.#online.clear();
    for (const id of update.removes) changed = this.#online.delete(id) || changed;
    for (const endpoint of update.upserts) {
      if (this.#expected.size > 0) this.#expected.delete(keyOf(endpoint));
      if (endpoint.kind !== 'agent') continue;
      const { binding, accountId, proto, host, port } = endpoint;
      this.#online.set(endpoint.id, { binding, accountId, proto, host, port });
      changed = true;
    }
    if (changed) this.#onChange();
  }

  /** What is online now, and what is still expected. */
  names(): { readonly online: readonly AgentName[]; readonly expected: readonly ExpectedName[] } {
    const now = this.#now();
    return {
      online: [...this.#online.values()],
      expected: [...this.#expected.values()].filter(({ until }) => until > now),
    };
  }

  #find(host: string, key: (host: string) => string): boolean {
    if (this.#has(key(host))) return true;
    for (const pattern of wildcardsOver(host)) if (this.#has(key(pattern))) return true;
    return false;
  }

  #has(key: string): boolean {
    const name = this.#expected.get(key);
    if (name === undefined) return false;
    if (name.until > this.#now()) return true;
    this.#expected.delete(key);
    return false;
  }
}

function keyOf({ binding, accountId, proto, host, port }: AgentName): string {
  if (binding === 'internal') return internalKey(accountId, proto, host, port);
  if (binding === 'kubernetes') return `kubernetes ${internalKey(accountId, proto, host, port)}`;
  return proto === 'tcp' ? `tcp ${port}` : publicKey(proto, host);
}

function publicKey(proto: string, host: string): string {
  return `${proto} ${host}`;
}

function internalKey(accountId: string, proto: string, host: string, port: number): string {
  return `${accountId} ${proto} ${host} ${port}`;
}
