import { readSync } from 'node:fs';
import net from 'node:net';
import type { UpstreamReader } from './upstream-reader.ts';

/**
 * A plain connection to a service. One that hangs up while it is sent something (an upload that it has refused) resets its
 * connection behind its last words; the runtime learns of that by a write that fails, closes its end, and the words would
 * stay with the system. So they are read first.
 */
export class UpstreamSocket extends net.Socket {
  readonly #reader: UpstreamReader;

  constructor(reader: UpstreamReader) {
    super({ noDelay: true, allowHalfOpen: true, onread: reader.onread });
    this.#reader = reader;
  }

  override destroy(error?: Error): this {
    if (error !== undefined && !this.connecting && !this.destroyed) this.#readRest();
    return super.destroy(error);
  }

  #readRest(): void {
    const handle: unknown = Reflect.get(this, '_handle');
    // Not everywhere has a connection one.
    const descriptor: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
    if (typeof descriptor !== 'number' || descriptor < 0) return;
    try {
      this.#reader.readRest((buffer) => readSync(descriptor, buffer));
    } catch {
      // There is nothing more, which a connection that has been reset says as an error.
    }
  }
}
