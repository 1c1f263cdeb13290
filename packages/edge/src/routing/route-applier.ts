/**
 * Applies route updates one after the other, so that an acknowledged endpoint can be reached: ports that TCP endpoints
 * need are open before the table changes, and closed only after it did.
 */
import type { TcpPorts } from '../listeners/tcp-ports.ts';
import type { Log, RouteTable } from '../context.ts';
import type { Returning } from './returning.ts';
import type { RouteUpdate } from '@postern/link';

/** Ports of an update that this machine cannot open; nothing of the update was applied. */
class PortsNotOpened extends Error {
  override readonly name = 'PortsNotOpened';
  readonly ports: readonly number[];

  constructor(failures: ReadonlyMap<number, Error>) {
    const reasons = [...failures].map(([port, error]) => `${port} (${error.message})`);
    super(`TCP ports that cannot be opened here: ${reasons.join(', ')}`);
    this.ports = [...failures.keys()];
  }
}

export class RouteApplier {
  readonly #routes: RouteTable;
  readonly #ports: TcpPorts;
  readonly #log: Log;
  readonly #returning: Returning;
  #last: Promise<void> = Promise.resolve();

  constructor(routes: RouteTable, ports: TcpPorts, returning: Returning, log: Log) {
    this.#returning = returning;
    this.#routes = routes;
    this.#ports = ports;
    this.#log = log;
  }

  /**
   * Resolves when new connections and requests see the update.
   *
   * A change whose port cannot be opened rejects with {@link PortsNotOpened} and changes nothing, so that control can
   * take its claim back. A snapshot is applied all the same, since every other endpoint depends on it; the ports are
   * tried again with each update that follows.
   */
  apply(update: RouteUpdate): Promise<void> {
    const applied = this.#last.then(() => this.#apply(update));
    this.#last = applied.catch(() => {});
    return applied;
  }

  async #apply(update: RouteUpdate): Promise<void> {
    const asked = update.upserts.filter(({ proto, binding }) => proto === 'tcp' && binding === 'public');
    const wanted = new Set(asked.map(({ port }) => port));
    const failures = await this.#ports.open(update.snapshot ? wanted : [...wanted, ...this.#routes.tcpPorts()]);
    const fatal = new Map([...failures].filter(([port]) => wanted.has(port)));
    if (failures.size > 0) {
      const reasons = [...failures.values()].map((error) => error.message);
      this.#log.error({ ports: [...failures.keys()], reasons }, 'TCP ports cannot be opened');
    }
    if (fatal.size > 0 && !update.snapshot) {
      // Ports that only this update wanted are not left open.
      this.#ports.retain(this.#routes.tcpPorts());
      throw new PortsNotOpened(fatal);
    }
    this.#routes.apply(update);
    this.#returning.applied(update);
    this.#ports.retain(this.#routes.tcpPorts());
  }
}
