import type { ProxyHeader } from '@postern/protocol';
import type { AgentLog, ConnectionWatch, ListenOptions } from '../options.ts';

/**
 * Who watches a connection, at arm's length: what a watch throws ends the watching of that connection, and costs its
 * visitor nothing.
 */
export class Watched {
  #watch: ConnectionWatch | undefined;
  readonly #log: AgentLog | undefined;

  private constructor(watch: ConnectionWatch, log: AgentLog | undefined) {
    this.#watch = watch;
    this.#log = log;
  }

  /** @returns undefined when nobody watches: the bytes then cost one comparison a chunk */
  static of(
    options: ListenOptions,
    header: ProxyHeader,
    behindProxyHeader: boolean,
    log: AgentLog | undefined,
  ): Watched | undefined {
    if (options.watch === undefined) return undefined;
    try {
      const watch = options.watch({ clientAddr: header.clientAddr, proto: header.proto, behindProxyHeader });
      return watch === undefined ? undefined : new Watched(watch, log);
    } catch (error) {
      report(log, error);
      return undefined;
    }
  }

  fromVisitor(chunk: Buffer): void {
    try {
      this.#watch?.fromVisitor?.(chunk);
    } catch (error) {
      this.#fail(error);
    }
  }

  fromService(chunk: Buffer): void {
    try {
      this.#watch?.fromService?.(chunk);
    } catch (error) {
      this.#fail(error);
    }
  }

  over(): void {
    const watch = this.#watch;
    this.#watch = undefined;
    try {
      watch?.over();
    } catch (error) {
      report(this.#log, error);
    }
  }

  #fail(error: unknown): void {
    report(this.#log, error);
    this.over();
  }
}

function report(log: AgentLog | undefined, error: unknown): void {
  log?.warn({ err: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'watching failed');
}
