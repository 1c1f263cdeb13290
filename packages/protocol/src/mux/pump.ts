import type { MuxSession } from './types.ts';

/** Where a session's bytes go: a TLS socket, wrapped in one method. */
export interface MuxWire {
  /** Writes all of `buffer`, then calls `done` once, with an error when it could not. `done` may run inside `write`. */
  write(buffer: Buffer, done: (error?: Error | null) => void): void;
  /** What came of a write, or of a turn of the event loop, has thrown. Without this it is theirs who called. */
  fault?(error: unknown): void;
}

export interface MuxPump {
  /**
   * Something can be pulled: call it from the session's `onOutput`. It leaves at once while it is alone; where every turn
   * of the event loop has several frames, they leave in one write at its end (docs/performance.md).
   */
  flushSoon(): void;
  /** As much as can leaves now. */
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
  #scheduled = false;
  /** The last turn that sent anything had more than one frame to send. */
  #busy = false;
  /** null = nobody waits for it. */
  #whenDry: (() => void)[] | null = null;

  constructor(session: MuxSession, wire: MuxWire) {
    this.#session = session;
    this.#wire = wire;
  }

  flushSoon(): void {
    // The end of that write brings the next.
    if (this.#scheduled || this.#underWay !== undefined) return;
    if (!this.#busy) return this.flush();
    this.#scheduled = true;
    setImmediate(this.#turnOver);
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
    if (this.#underWay !== undefined || this.#whenDry === null) return;
    const waiting = this.#whenDry;
    this.#whenDry = null;
    for (const callback of waiting) callback();
  }

  whenDry(callback: () => void): void {
    (this.#whenDry ??= []).push(callback);
    this.flush();
  }

  readonly #turnOver = (): void => {
    try {
      this.#flushTurn();
    } catch (error) {
      this.#thrown(error);
    }
  };

  readonly #done = (error?: Error | null): void => {
    try {
      this.#written(error);
    } catch (mistake) {
      this.#thrown(mistake);
    }
  };

  #thrown(error: unknown): void {
    if (this.#wire.fault === undefined) throw error;
    this.#wire.fault(error);
  }

  #flushTurn(): void {
    this.#scheduled = false;
    const before = this.#session.framesSent;
    this.flush();
    this.#busy = this.#session.framesSent - before > 1;
  }

  #written(error: Error | null | undefined): void {
    const buffer = this.#underWay;
    if (buffer === undefined) return;
    this.#underWay = undefined;
    this.#session.release(buffer);
    if (error) this.#broken = true;
    const before = this.#session.framesSent;
    this.flush();
    if (this.#session.framesSent > before) this.#busy = true;
  }
}
