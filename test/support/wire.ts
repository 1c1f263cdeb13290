/**
 * A network of our own between two parties: a TCP relay that can delay, stall, cut and leave connections half-open, on
 * command. What it does is decided by the test (seeded), never by chance of the machine.
 */
import net, { type AddressInfo } from 'node:net';

interface Pair {
  readonly near: net.Socket;
  readonly far: net.Socket;
  /** Bytes are swallowed and neither side is told: as when a NAT forgets. */
  dead: boolean;
}

export class Wire {
  readonly #server: net.Server;
  readonly #pairs = new Set<Pair>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #target: () => { host: string; port: number };
  #delayMs = 0;
  #refusing = false;
  #stalled = false;
  #accepted = 0;

  private constructor(target: () => { host: string; port: number }) {
    this.#target = target;
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#accept(near));
  }

  /** Listens on a free loopback port and relays to `target`, which is asked anew for each connection. */
  static async to(target: () => { host: string; port: number }): Promise<Wire> {
    const wire = new Wire(target);
    await new Promise<void>((resolve, reject) => {
      wire.#server.once('error', reject);
      wire.#server.listen(0, '127.0.0.1', resolve);
    });
    return wire;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections accepted since the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Connections that carry bytes now. */
  get live(): number {
    let count = 0;
    for (const pair of this.#pairs) if (!pair.dead) count += 1;
    return count;
  }

  /** Every byte from now on arrives this much later. */
  delay(milliseconds: number): void {
    this.#delayMs = milliseconds;
  }

  /** New connections are reset until `accept`. */
  refuse(): void {
    this.#refusing = true;
  }

  accept(): void {
    this.#refusing = false;
  }

  /** Nothing moves until `resume`; nothing is lost. */
  stall(): void {
    this.#stalled = true;
    for (const { near, far } of this.#pairs) {
      near.pause();
      far.pause();
    }
  }

  resume(): void {
    this.#stalled = false;
    for (const { near, far } of this.#pairs) {
      near.resume();
      far.resume();
    }
  }

  /** Resets every connection, both sides told. */
  cut(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  /** The near side (who dialled) is reset; the far side is told nothing and hears nothing more. */
  halfOpen(): void {
    for (const pair of this.#pairs) {
      if (pair.dead) continue;
      pair.dead = true;
      pair.near.resetAndDestroy();
    }
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
    await closed;
  }

  #accept(near: net.Socket): void {
    near.on('error', () => undefined);
    if (this.#refusing) {
      near.resetAndDestroy();
      return;
    }
    this.#accepted += 1;
    const far = net.connect({ ...this.#target(), allowHalfOpen: true, noDelay: true });
    far.on('error', () => undefined);
    const pair: Pair = { near, far, dead: false };
    this.#pairs.add(pair);
    this.#relay(pair, near, far);
    this.#relay(pair, far, near);
    if (this.#stalled) {
      near.pause();
      far.pause();
    }
  }

  #relay(pair: Pair, from: net.Socket, to: net.Socket): void {
    from.on('data', (chunk: Buffer) => {
      if (pair.dead) return;
      this.#later(() => {
        if (pair.dead || to.destroyed) return;
        if (!to.write(chunk)) {
          from.pause();
          to.once('drain', () => {
            if (!this.#stalled) from.resume();
          });
        }
      });
    });
    from.on('end', () => {
      if (!pair.dead) this.#later(() => void to.end());
    });
    from.on('close', () => {
      // A dead pair's far side stays open, and silent, until the wire is closed.
      if (!pair.dead) this.#later(() => void to.destroy());
      if (pair.near.destroyed && pair.far.destroyed) this.#pairs.delete(pair);
    });
  }

  #later(action: () => void): void {
    if (this.#delayMs === 0) return action();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, this.#delayMs);
    this.#timers.add(timer);
  }
}
