/**
 * A mistake of ours costs the connection that it happens on, and nothing else: not the process, not the agent session
 * whose stream it was, not the visitor whose turn came next. Every callback that the runtime, a timer, a promise or the
 * mux makes into a connection runs under the guard of that connection; there is one per connection, and none per request.
 */
import type { MuxStream } from '@postern/protocol';
import type { Fallible, FaultReports, Log, TimerHandle, TimerWheel } from './context.ts';

/** Mistakes of this edge: logged with their stacks, counted for the metrics. */
export class Faults implements FaultReports {
  count = 0;
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  report(error: unknown, what: string, fields: object = {}): void {
    this.count++;
    try {
      this.#log.error({ ...fields, error: stackOf(error) }, `a mistake inside the edge ended ${what}`);
    } catch {
      // The log itself may be what fails.
    }
  }
}

/** `onFault` of a mux session: the visitor whose stream it was loses its connection, and the session goes on. */
export function streamFault(faults: FaultReports, error: unknown, stream: MuxStream, fields: object = {}): void {
  faults.report(error, 'a stream of an agent', fields);
  stream.handler.onFault?.();
}

/** Of one connection. It is a timer wheel, too, so that timers of the connection are guarded by where they are made. */
export class Guard implements Fallible, TimerWheel {
  readonly #faults: FaultReports;
  readonly #wheel: TimerWheel;
  readonly #what: string;
  readonly #end: () => void;
  #over = false;

  /**
   * @param what for the log: "an HTTP/1 connection"
   * @param end destroys the connection; runs once, and what it throws is caught
   */
  constructor(faults: FaultReports, wheel: TimerWheel, what: string, end: () => void) {
    this.#faults = faults;
    this.#wheel = wheel;
    this.#what = what;
    this.#end = end;
  }

  /** A callback threw. */
  fault(error: unknown): void {
    this.#faults.report(error, this.#what);
    this.end();
  }

  /** Ends the connection for a mistake that has been reported. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    try {
      this.#end();
    } catch (error) {
      this.#faults.report(error, this.#what);
    }
  }

  run(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fault(error);
    }
  }

  /** `run` for one of many on the connection, with work that is made once for all of them. */
  call<T>(work: (one: T) => void, one: T): void {
    try {
      work(one);
    } catch (error) {
      this.fault(error);
    }
  }

  /** For listeners that are added once per connection. */
  wrap<Args extends unknown[]>(callback: (...args: Args) => void): (...args: Args) => void {
    return (...args) => {
      try {
        callback(...args);
      } catch (error) {
        this.fault(error);
      }
    };
  }

  schedule(ms: number, callback: () => void): TimerHandle {
    return this.#wheel.schedule(ms, callback, this);
  }
}

export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
