import type { MuxSession } from './types.ts';

/** Where a session's bytes go: a TLS socket, wrapped in one method. */
export interface MuxWire {
  /** Writes all of `buffer`, then calls `done` once, with an error when it could not. `done` may run inside `write`. */
  write(buffer: Buffer, done: (error?: Error | null) => void): void;
}

export interface MuxPump {
  /** Something can be pulled: call it from the session's `onOutput`. */
  flush(): void;
  /** Runs `callback` once everything that can be sent has been written, or the wire broke; at once if that is now. */
  whenDry(callback: () => void): void;
}

/**
 * Moves a session's output to its wire with one write under way at a time (docs/performance.md): what gathers meanwhile
 * leaves in the next write, up to 128 KiB of it, so small frames share TLS records and a slow wire pushes back.
 * A write error stops the pump; the owner of the wire sees the error itself and calls `session.wireEnded`.
 */
export function pumpMux(session: MuxSession, wire: MuxWire): MuxPump {
  return new Pump(session, wire);
}

class Pump implements MuxPump {
  readonly #session: MuxSession;
  readonly #wire: MuxWire;
  #underWay: Buffer | undefined = undefined;
  #looping = false;
  #broken = false;
  #whenDry: (() => void)[] = [];

  constructor(session: MuxSession, wire: MuxWire) {
    this.#session = session;
    this.#wire = wire;
  }

  flush(): void {
    if (this.#looping) return;
    this.#looping = true;
    while (this.#underWay === undefined && !this.#broken) {
      const buffer = this.#session.pull();
      if (buffer === undefined) break;
      this.#underWay = buffer;
      this.#wire.write(buffer, this.#done);
    }
    this.#looping = false;
    if (this.#underWay === undefined && this.#whenDry.length > 0) {
      for (const callback of this.#whenDry.splice(0)) callback();
    }
  }

  whenDry(callback: () => void): void {
    this.#whenDry.push(callback);
    this.flush();
  }

  readonly #done = (error?: Error | null): void => {
    const buffer = this.#underWay;
    if (buffer === undefined) return;
    this.#underWay = undefined;
    this.#session.release(buffer);
    if (error) this.#broken = true;
    this.flush();
  };
}
