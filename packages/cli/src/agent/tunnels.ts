import type { AgentError, AgentSession, Listener, ListenOptions } from '@postern/agent';
import type { Definition } from '../config/definitions.ts';
import { listenOptions } from '../listen-options.ts';
import type { TunnelLog } from '../tunnel-log.ts';

/** An endpoint that is online through this agent. */
export interface Tunnel {
  readonly name: string;
  readonly definition: Definition;
  readonly listener: Listener;
  /** The upstream as it is shown. */
  readonly addr: string;
}

/** What can be started: the definition, with its files read. */
export interface Prepared {
  readonly definition: Definition;
  readonly listens: readonly ListenOptions[];
}

/** Reads everything that a definition names, so that what is wrong with it is told before anything is connected. */
export async function prepare(definition: Definition): Promise<Prepared> {
  const { proto, target, options } = definition;
  const first = await listenOptions(proto, target, options);
  if (options.schemes === undefined || options.schemes.length < 2) return { definition, listens: [first] };
  // The second scheme is asked for the name that the first one got.
  const second = await listenOptions(proto, target, { ...options, name: `${options.name} (http)`, schemes: ['http'] });
  return { definition, listens: [first, { ...second, proto: 'http' }] };
}

export interface TunnelsEvents {
  /** Ended by the server, or with the session. */
  onEnded(tunnel: Tunnel, error: AgentError | undefined): void;
  /** Who watches the connections of this one, if anybody does. */
  watch(name: string, definition: Definition): ListenOptions['watch'];
}

/** The endpoints of a running agent, by name. */
export class AgentTunnels {
  readonly #session: AgentSession;
  readonly #log: TunnelLog;
  readonly #events: TunnelsEvents;
  readonly #tunnels = new Map<string, Tunnel>();
  /** Names that are being bound. */
  readonly #taken = new Set<string>();

  constructor(session: AgentSession, log: TunnelLog, events: TunnelsEvents) {
    this.#session = session;
    this.#log = log;
    this.#events = events;
  }

  get list(): readonly Tunnel[] {
    return [...this.#tunnels.values()];
  }

  has(name: string): boolean {
    return this.#tunnels.has(name) || this.#taken.has(name);
  }

  /** Binds them one after another; the first refusal takes those before it back. */
  async start({ definition, listens }: Prepared): Promise<readonly Tunnel[]> {
    const started: Tunnel[] = [];
    const names = listens.map(({ name = '' }) => name);
    for (const name of names) this.#taken.add(name);
    try {
      for (const options of listens) started.push(await this.#listen(definition, options, started[0]));
    } catch (error) {
      await Promise.all(started.map(({ name }) => this.stop(name)));
      throw error;
    } finally {
      for (const name of names) this.#taken.delete(name);
    }
    return started;
  }

  /** @returns false when there is none of this name */
  async stop(name: string): Promise<boolean> {
    const tunnel = this.#tunnels.get(name);
    if (tunnel === undefined) return false;
    this.#tunnels.delete(name);
    await tunnel.listener.close();
    this.#log.info({ obj: 'tunnels', name }, 'stopped tunnel');
    return true;
  }

  async #listen(definition: Definition, options: ListenOptions, before: Tunnel | undefined): Promise<Tunnel> {
    const sameName = before === undefined ? {} : { url: `http://${new URL(before.listener.url).hostname}` };
    const { name = '' } = options;
    const watch = this.#events.watch(name, definition);
    const wanted = { ...options, ...sameName, ...(watch === undefined ? {} : { watch }) };
    const listener = await this.#session.listen(wanted);
    const addr = options.forwardsTo ?? (typeof options.upstream === 'string' ? options.upstream : '');
    const tunnel: Tunnel = { name, definition, listener, addr };
    this.#tunnels.set(name, tunnel);
    this.#log.online(listener.url, addr, name);
    void this.#watch(tunnel);
    return tunnel;
  }

  async #watch(tunnel: Tunnel): Promise<void> {
    const error = await tunnel.listener.closed;
    if (this.#tunnels.get(tunnel.name) !== tunnel) return;
    this.#tunnels.delete(tunnel.name);
    this.#events.onEnded(tunnel, error);
  }
}
