/** What a claim step needs for itself: names, ports and rows, as keys of the gate. */
import { addressKey } from '@postern/registry';
import type { TunnelRecord } from '@postern/registry';
import { wildcardsOver } from '../addresses/hosts.ts';
import type { Catalog } from '../state/catalog.ts';
import type { LocalGate, StepKeys } from './local.ts';

/** What keys are made of, and where they are held. */
interface Held {
  readonly catalog: Pick<Catalog, 'domains' | 'addrs'>;
  readonly claims: LocalGate;
}

interface PlacedAddress {
  readonly scheme: string;
  readonly binding: string;
  readonly host: string;
  readonly port: number;
}

/** Who picks a TCP port looks at all of them; who names one must not meet that. */
const ALL_PORTS = 'all ports';

/** Gathers keys; a key that is needed alone is not shared as well. */
export class Keys {
  readonly #core: Held;
  readonly #alone = new Set<string>();
  readonly #shared = new Set<string>();

  constructor(core: Held) {
    this.#core = core;
  }

  get all(): StepKeys {
    return { alone: [...this.#alone], shared: [...this.#shared].filter((key) => !this.#alone.has(key)) };
  }

  /**
   * An address that is taken or left. All schemes of a public name share one key: they exclude each other, and rest on
   * one reservation. Wildcards over the name must stay as they are meanwhile, since it may rest on one of them.
   */
  address(accountId: string, address: PlacedAddress): this {
    const { scheme, binding, host, port } = address;
    if (binding !== 'public') return this.#add(addressKey({ ...address, accountId }));
    if (scheme === 'tcp') return this.port(port);
    return this.name(host);
  }

  name(host: string): this {
    for (const wildcard of wildcardsOver(host)) this.#shared.add(nameKey(wildcard));
    return this.#add(nameKey(host));
  }

  port(port: number): this {
    this.#shared.add(ALL_PORTS);
    return this.#add(`port ${port}`);
  }

  allPorts(): this {
    return this.#add(ALL_PORTS);
  }

  /** Reservations that may be given back or changed. */
  reservations(ids: Iterable<string>): this {
    const { domains, addrs } = this.#core.catalog;
    for (const id of ids) {
      const domain = domains.get(id);
      if (domain !== null) this.name(domain.domain);
      const addr = addrs.get(id);
      if (addr !== null) this.port(addr.port);
    }
    return this;
  }

  /** A row, a session or an endpoint, by its id. */
  id(id: string): this {
    return this.#add(id);
  }

  /** Tunnels that come, change or go, and all that their routes are made of. */
  tunnels(tunnels: readonly TunnelRecord[]): this {
    for (const { accountId, endpoint, labels } of tunnels) {
      if (endpoint !== null) this.id(endpoint.id).address(accountId, endpoint);
      if (labels !== null) this.labelled(accountId);
    }
    return this;
  }

  /** Routes of the account's edges, which are made of all its labelled tunnels. */
  labelled(accountId: string): this {
    return this.#add(`labelled ${accountId}`);
  }

  #add(key: string): this {
    this.#alone.add(key);
    return this;
  }
}

function nameKey(host: string): string {
  return `name ${host}`;
}

/**
 * Runs `step` with the keys that it needs. They are asked for again once they are held: what they were made of may have
 * changed while others had their turn.
 */
export async function withKeys<T>(
  core: Held,
  needed: (keys: Keys) => Keys | Promise<Keys>,
  step: (held: StepKeys) => Promise<T>,
): Promise<T> {
  for (;;) {
    const held = (await needed(new Keys(core))).all;
    const outcome = await core.claims.run(held, async () => {
      const now = (await needed(new Keys(core))).all;
      return isHeld(held, now) ? { value: await step(held) } : null;
    });
    if (outcome !== null) return outcome.value;
  }
}

function isHeld(held: StepKeys, needed: StepKeys): boolean {
  const alone = new Set(held.alone);
  const any = new Set([...held.alone, ...held.shared]);
  return needed.alone.every((key) => alone.has(key)) && needed.shared.every((key) => any.has(key));
}
