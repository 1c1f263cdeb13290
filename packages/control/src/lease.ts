import { NodeFenced } from '@postern/registry';
import { messageOf } from './change/confirm.ts';
import type { Core } from './core.ts';

/**
 * Keeps what this node has in the registry while it runs. A node that others have taken for gone no longer owns its
 * names: its agents are sent away, and nothing that it still writes is taken.
 */
export class Lease {
  readonly #core: Pick<Core, 'registry' | 'edges' | 'log'>;
  #timer: NodeJS.Timeout | null = null;

  constructor(core: Pick<Core, 'registry' | 'edges' | 'log'>) {
    this.#core = core;
  }

  start(): void {
    // One that comes late is not yet too late.
    this.#timer = setInterval(() => void this.#renew(), this.#core.registry.leaseMs / 3).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  async #renew(): Promise<void> {
    const { registry, edges, log } = this.#core;
    try {
      await registry.renew();
    } catch (error) {
      log.error({ error: messageOf(error) }, 'this node could not renew its lease');
      if (!(error instanceof NodeFenced)) return;
      this.stop();
      edges.closeSessions('this node counts as gone; another one has its place');
    }
  }
}
