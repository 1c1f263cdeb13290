import { NodeFenced, type NodeRef } from './types.ts';

interface Lease {
  readonly node: NodeRef;
  endsAt: number;
}

/** Which nodes are there. One that was found gone stays so until it joins anew. */
export class Leases {
  readonly #now: () => number;
  readonly #leaseMs: number;
  readonly #held = new Map<string, Lease>();
  readonly #epochs = new Map<string, number>();

  constructor(now: () => number, leaseMs: number) {
    this.#now = now;
    this.#leaseMs = leaseMs;
  }

  /** @returns the node in its next epoch, and in the one that this ends, if that was not over before */
  join(id: string): { readonly node: NodeRef; readonly earlier: NodeRef | null } {
    const earlier = this.#held.get(id)?.node ?? null;
    const node = { id, epoch: (this.#epochs.get(id) ?? 0) + 1 };
    this.#epochs.set(id, node.epoch);
    this.#held.set(id, { node, endsAt: this.#now() + this.#leaseMs });
    return { node, earlier };
  }

  /** @throws NodeFenced */
  check(node: NodeRef): Lease {
    const lease = this.#held.get(node.id);
    if (lease?.node.epoch !== node.epoch) throw new NodeFenced(node);
    return lease;
  }

  /** @throws NodeFenced */
  renew(node: NodeRef): void {
    this.check(node).endsAt = this.#now() + this.#leaseMs;
  }

  /** The nodes beside this one whose leases have ended, each once: they are fenced from now on. */
  endedBeside(node: NodeRef): readonly NodeRef[] {
    // The usual case: there is nobody else.
    if (this.#held.size === 1 && this.#held.has(node.id)) return NOBODY;
    const ended: NodeRef[] = [];
    for (const [id, lease] of this.#held) {
      if (id === node.id || this.#now() < lease.endsAt) continue;
      this.#held.delete(id);
      ended.push(lease.node);
    }
    return ended;
  }
}

const NOBODY: readonly NodeRef[] = [];
