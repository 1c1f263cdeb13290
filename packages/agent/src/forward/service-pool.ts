import type { ListenOptions } from '../options.ts';
import type { ConnectionUser, ServiceConnection } from './service-connection.ts';

/** The server counts on it (edge: leave-stream.ts): what it lets go of, the service keeps open for longer than this. */
const KEEP_MS = 3_000;
const LOOK_MS = 1_000;
/** Of one listener. */
const MOST_KEPT = 128;

/**
 * Connections to services that wait for another visitor's request, by listener. A service is never given more of them
 * than it had at once, and one that serves a single connection at a time is not kept waiting: whoever has to dial while
 * one waits here takes that one's place ({@link makeRoom}).
 */
export class ServicePool {
  readonly #now: () => number;
  /** The longest kept first. */
  readonly #kept = new Map<ListenOptions, ServiceConnection[]>();
  #timer: NodeJS.Timeout | undefined = undefined;
  #closed = false;

  /** @param now monotonic milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get size(): number {
    let size = 0;
    for (const kept of this.#kept.values()) size += kept.length;
    return size;
  }

  /** The one that was used last. */
  take(options: ListenOptions): ServiceConnection | undefined {
    const kept = this.#kept.get(options);
    for (let one = kept?.pop(); one !== undefined; one = kept?.pop()) {
      if (one.quiet) return one;
      one.socket.destroy();
    }
    return undefined;
  }

  /** Somebody dials who may have none of these: one of them is closed. */
  makeRoom(options: ListenOptions): void {
    this.#kept.get(options)?.shift()?.socket.destroySoon();
  }

  /** Keeps a quiet connection for a while. */
  keep(options: ListenOptions, connection: ServiceConnection): void {
    let kept = this.#kept.get(options);
    if (kept === undefined) this.#kept.set(options, (kept = []));
    connection.keptAt = this.#now();
    connection.reader.attach(undefined, undefined);
    connection.user = new Waiting(kept, connection);
    // Whoever had it may have told it to wait.
    connection.socket.resume();
    if (this.#closed) connection.socket.destroySoon();
    else {
      kept.push(connection);
      if (kept.length > MOST_KEPT) kept.shift()?.socket.destroySoon();
      this.#timer ??= setTimeout(this.#look, LOOK_MS);
    }
  }

  /** Nothing is kept any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const kept of this.#kept.values()) for (const one of kept.splice(0)) one.socket.destroy();
    this.#kept.clear();
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    const since = this.#now() - KEEP_MS + LOOK_MS;
    for (const [options, kept] of this.#kept) {
      const fresh = kept.findIndex(({ keptAt }) => keptAt > since);
      for (const one of kept.splice(0, fresh === -1 ? kept.length : fresh)) one.socket.destroySoon();
      if (kept.length === 0) this.#kept.delete(options);
    }
    if (this.#kept.size > 0) this.#timer = setTimeout(this.#look, LOOK_MS);
  };
}

/** Nobody has it: whatever happens to it is its end. */
class Waiting implements ConnectionUser {
  readonly #kept: ServiceConnection[];
  readonly #connection: ServiceConnection;

  constructor(kept: ServiceConnection[], connection: ServiceConnection) {
    this.#kept = kept;
    this.#connection = connection;
  }

  written(): void {}

  ended(): void {
    this.#connection.socket.destroy();
  }

  failed(): void {
    this.#connection.socket.destroy();
  }

  closed(): void {
    const at = this.#kept.indexOf(this.#connection);
    if (at !== -1) this.#kept.splice(at, 1);
  }
}
