import type { ConnectionWatch, WatchInfo } from '@postern/agent';
import { TunnelMeters } from '../meters/tunnel-meters.ts';
import type { Recorder } from '../record/recorder.ts';
import { HttpWatch } from './http-watch.ts';

/** Whom to watch. */
export interface WatchedTunnel {
  readonly name: string;
  /** http endpoints only: whether requests are read; connections are counted either way. */
  readonly inspect: boolean;
}

/** Counts the connections of every tunnel, and has those of http endpoints read. */
export class Watches {
  readonly all: TunnelMeters;
  readonly #byTunnel = new Map<string, TunnelMeters>();
  readonly #recorder: Recorder | undefined;
  readonly #now: () => number;

  /** @param recorder undefined = nothing is recorded (`inspect_db_size: -1`) */
  constructor(recorder: Recorder | undefined, now: () => number) {
    this.#recorder = recorder;
    this.#now = now;
    this.all = new TunnelMeters(now);
  }

  /** Those of a tunnel of this name, from now on or as they are. */
  of(name: string): TunnelMeters {
    let meters = this.#byTunnel.get(name);
    if (meters === undefined) this.#byTunnel.set(name, (meters = new TunnelMeters(this.#now)));
    return meters;
  }

  /** The tunnel is gone. */
  forget(name: string): void {
    this.#byTunnel.delete(name);
  }

  /** For `ListenOptions.watch`. */
  watch(tunnel: WatchedTunnel): (info: WatchInfo) => ConnectionWatch {
    return (info) => this.#open(tunnel, info, 0);
  }

  /** A connection of our own to its upstream, for the request that repeats `replayOf`. */
  replay(tunnel: WatchedTunnel, replayOf: number): ConnectionWatch {
    return this.#open(tunnel, { clientAddr: '127.0.0.1:0', proto: 'http', behindProxyHeader: false }, replayOf);
  }

  #open(tunnel: WatchedTunnel, info: WatchInfo, replayOf: number): ConnectionWatch {
    const meters = this.of(tunnel.name);
    const since = this.#now();
    meters.opened();
    this.all.opened();
    const closed = (): void => {
      meters.closed(this.#now() - since);
      this.all.closed(this.#now() - since);
    };
    const web = info.proto === 'http' || info.proto === 'https';
    const recorder = this.#recorder;
    if (recorder === undefined || !tunnel.inspect || !web) return { over: closed };
    const read = new HttpWatch(info, {
      recorder,
      tunnel: tunnel.name,
      replayOf,
      onDone: (_, milliseconds) => {
        meters.requested(milliseconds);
        this.all.requested(milliseconds);
      },
    });
    return {
      fromVisitor: (chunk) => read.fromVisitor(chunk),
      fromService: (chunk) => read.fromService(chunk),
      over: () => {
        read.over();
        closed();
      },
    };
  }
}
