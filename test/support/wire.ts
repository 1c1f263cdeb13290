/**
 * A network of our own between two parties: a TCP relay that can delay, stall, cut and leave connections half-open, on
 * command. What it does is decided by the test (seeded), never by chance of the machine.
 */
import net from 'node:net';
import { portOf } from './port-of.ts';

/** Under way in one direction at most; beyond it the sender has to wait, as with a real network's buffers. */
const UNDER_WAY_BYTES = 4 * 1024 * 1024;

/** How the network is right now. */
interface Weather {
  delayMs: number;
  stalled: boolean;
}

/** One direction of one connection. Delivers in order, each piece after the delay that held when it came. */
class Lane {
  readonly #from: net.Socket;
  readonly #weather: Weather;
  readonly #parcels: { readonly due: number; readonly bytes: number; readonly deliver: () => void }[] = [];
  #bytes = 0;
  #lastDue = 0;
  #timer: NodeJS.Timeout | undefined = undefined;
  /** The receiver cannot take more now. */
  #choked = false;

  constructor(from: net.Socket, to: net.Socket, weather: Weather, isDead: () => boolean) {
    this.#from = from;
    this.#weather = weather;
    from.on('data', (chunk: Buffer) => {
      if (isDead()) return;
      this.#send(chunk.length, () => {
        if (isDead() || to.destroyed || to.write(chunk)) return;
        this.#choked = true;
        to.once('drain', () => {
          this.#choked = false;
          this.update();
        });
      });
    });
    from.on('end', () => {
      if (!isDead()) this.#send(0, () => void to.end());
    });
    from.on('close', (failed) => {
      // The far side of a dead pair stays open, and silent, until it closes by itself or the wire does.
      if (!isDead()) this.#send(0, () => (failed ? to.resetAndDestroy() : to.destroySoon()));
    });
    this.update();
  }

  /** To be called when the weather has changed. */
  update(): void {
    this.#deliver();
    if (this.#weather.stalled || this.#choked || this.#bytes >= UNDER_WAY_BYTES) this.#from.pause();
    else this.#from.resume();
  }

  drop(): void {
    clearTimeout(this.#timer);
    this.#parcels.length = 0;
  }

  #send(bytes: number, deliver: () => void): void {
    this.#lastDue = Math.max(performance.now() + this.#weather.delayMs, this.#lastDue);
    this.#parcels.push({ due: this.#lastDue, bytes, deliver });
    this.#bytes += bytes;
    this.update();
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    if (this.#weather.stalled) return;
    for (let parcel = this.#parcels[0]; parcel !== undefined; parcel = this.#parcels[0]) {
      const wait = parcel.due - performance.now();
      if (wait > 0.5) {
        this.#timer = setTimeout(() => this.update(), wait);
        return;
      }
      this.#parcels.shift();
      this.#bytes -= parcel.bytes;
      parcel.deliver();
    }
  }
}

interface Pair {
  readonly near: net.Socket;
  readonly far: net.Socket;
  readonly lanes: readonly Lane[];
  /** Bytes are swallowed and who is still there is told nothing: as when a NAT forgets. */
  dead: boolean;
}

export class Wire {
  readonly #server: net.Server;
  readonly #pairs = new Set<Pair>();
  readonly #target: () => { host: string; port: number };
  readonly #weather: Weather = { delayMs: 0, stalled: false };
  /** Connections that have not arrived yet. */
  readonly #early = new Map<net.Socket, NodeJS.Timeout>();
  #refusing = false;
  #arrivalDelay: () => number = () => 0;
  #accepted = 0;
  #acceptedAt = 0;

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
    return portOf(this.#server);
  }

  /** Connections accepted since the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** When the newest of them came, by `performance.now()`; 0 = none yet. */
  get acceptedAt(): number {
    return this.#acceptedAt;
  }

  /** Connections that carry bytes now. */
  get live(): number {
    let count = 0;
    for (const pair of this.#pairs) if (!pair.dead) count += 1;
    return count;
  }

  /** Dead connections that the far side takes for alive: it has not closed them. Of one that is paused nobody can tell. */
  get haunting(): number {
    let count = 0;
    for (const { dead, far } of this.#pairs) {
      if (dead && !far.destroyed && !far.readableEnded && !far.isPaused()) count += 1;
    }
    return count;
  }

  /** Every byte from now on arrives this much later; what is under way is not overtaken. */
  delay(milliseconds: number): void {
    this.#weather.delayMs = milliseconds;
  }

  /**
   * New connections arrive that many milliseconds late, each by its own number, so that a later one may overtake an
   * earlier one.
   */
  scatter(milliseconds: () => number): void {
    this.#arrivalDelay = milliseconds;
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
    this.#weather.stalled = true;
    this.#update();
  }

  resume(): void {
    this.#weather.stalled = false;
    this.#update();
  }

  /** Resets every connection, both sides told. */
  cut(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
    for (const socket of this.#early.keys()) socket.resetAndDestroy();
  }

  /** The near side (who dialled) is reset; the far side is told nothing and hears nothing more. */
  halfOpen(): void {
    for (const pair of this.#pairs) {
      if (pair.dead) continue;
      pair.dead = true;
      pair.near.resetAndDestroy();
    }
  }

  /** Neither side is told anything, and neither hears from the other again. */
  vanish(): void {
    for (const pair of this.#pairs) pair.dead = true;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const [socket, timer] of this.#early) {
      clearTimeout(timer);
      socket.destroy();
    }
    for (const { near, far, lanes } of this.#pairs) {
      for (const lane of lanes) lane.drop();
      near.destroy();
      far.destroy();
    }
    await closed;
  }

  #update(): void {
    for (const { lanes } of this.#pairs) for (const lane of lanes) lane.update();
  }

  #accept(near: net.Socket): void {
    near.on('error', () => undefined);
    if (this.#refusing) {
      near.resetAndDestroy();
      return;
    }
    this.#accepted += 1;
    this.#acceptedAt = performance.now();
    const late = this.#arrivalDelay();
    if (late <= 0) return this.#connect(near);
    const timer = setTimeout(() => {
      this.#early.delete(near);
      if (!near.destroyed) this.#connect(near);
    }, late);
    this.#early.set(near, timer);
  }

  #connect(near: net.Socket): void {
    const far = net.connect({ ...this.#target(), allowHalfOpen: true, noDelay: true });
    far.on('error', () => undefined);
    const isDead = (): boolean => pair.dead;
    const pair: Pair = {
      near,
      far,
      lanes: [new Lane(near, far, this.#weather, isDead), new Lane(far, near, this.#weather, isDead)],
      dead: false,
    };
    this.#pairs.add(pair);
    for (const socket of [near, far]) {
      socket.on('close', () => {
        if (near.destroyed && far.destroyed) this.#pairs.delete(pair);
      });
    }
  }
}
