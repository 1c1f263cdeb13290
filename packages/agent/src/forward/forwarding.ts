import type { MuxStream } from '@postern/protocol';
import type { AgentLog, ListenOptions } from '../options.ts';
import { formatUpstream } from '../target.ts';
import { acceptProxied } from './accept.ts';
import type { Circles } from './circles.ts';
import type { UpstreamPlan } from './dial-upstream.ts';
import type { ProxiedConnection } from './pipe.ts';

/** Every connection of visitors' that the agent serves now, whichever server connection brought it. */
export class Forwarding {
  readonly #log: AgentLog | undefined;
  readonly #listenerOf: (id: string) => ListenOptions | undefined;
  readonly #circles: Circles;
  readonly #connections = new Set<ProxiedConnection>();
  #bindsUnderWay = 0;
  #afterBinds: (() => void)[] = [];
  #whenIdle: (() => void) | undefined = undefined;

  constructor(log: AgentLog | undefined, circles: Circles, listenerOf: (id: string) => ListenOptions | undefined) {
    this.#log = log;
    this.#circles = circles;
    this.#listenerOf = listenerOf;
  }

  /** Takes a proxied stream. Sets `stream.handler`. */
  accept(stream: MuxStream): void {
    acceptProxied(stream, {
      log: this.#log,
      circles: this.#circles,
      onCircle: this.#onCircle,
      listenerOf: this.#listenerOf,
      waitForBinds: this.#waitForBinds,
      onStart: this.#onStart,
      onDone: this.#onDone,
      onDialFailure: this.#onDialFailure,
    });
  }

  /** Runs a bind; connections for Ids that are unknown meanwhile wait for its end. */
  async duringBind(bind: () => Promise<void>): Promise<void> {
    this.#bindsUnderWay += 1;
    try {
      await bind();
    } finally {
      this.#bindsUnderWay -= 1;
      if (this.#bindsUnderWay === 0) for (const retry of this.#afterBinds.splice(0)) retry();
    }
  }

  /** Resolves when no connection is left, or after `deadline` milliseconds. */
  async idle(deadline: number): Promise<void> {
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, deadline);
      this.#whenIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#whenIdle = undefined;
  }

  destroy(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  readonly #waitForBinds = (retry: () => void): boolean => {
    if (this.#bindsUnderWay === 0) return false;
    this.#afterBinds.push(retry);
    return true;
  };

  readonly #onStart = (connection: ProxiedConnection): void => {
    this.#connections.add(connection);
  };

  readonly #onDone = (connection: ProxiedConnection): void => {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#whenIdle?.();
  };

  readonly #onCircle = (upstream: string): void => {
    this.#log?.warn({ upstream }, 'the upstream leads back to the endpoint that it serves');
  };

  readonly #onDialFailure = (plan: UpstreamPlan, reason: string): void => {
    this.#log?.warn({ upstream: formatUpstream(plan.address), reason }, 'cannot reach the upstream');
  };
}
