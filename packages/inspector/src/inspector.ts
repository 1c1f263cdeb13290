import type { ConnectionWatch, WatchInfo } from '@postern/agent';
import { Guard } from './api/guard.ts';
import { inspectRoutes } from './api/inspect-api.ts';
import { startLocalServer } from './api/local-server.ts';
import { NewsStream } from './api/news.ts';
import { type PagesFolder, pageRoutes } from './api/pages.ts';
import { requestRoutes } from './api/requests-api.ts';
import { tunnelRoutes } from './api/tunnels-api.ts';
import type { TunnelMetricsView } from './meters/tunnel-meters.ts';
import { Recorder } from './record/recorder.ts';
import { Replays } from './replay/replay.ts';
import type { Tunnels } from './tunnels.ts';
import { summaryOf } from './view/exchange-view.ts';
import type { ExchangeSummary } from './view/shapes.ts';
import { type WatchedTunnel, Watches } from './watch/watches.ts';

/** `inspect_db_size: 0`. */
const STANDARD_BYTES = 50 * 1024 * 1024;
/** Less would hold nothing worth looking at. */
const LEAST_BYTES = 1024 * 1024;

export interface InspectorLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface InspectorOptions {
  readonly tunnels: Tunnels;
  /** `127.0.0.1:4040`, the next port when that is taken; false = no local API. */
  readonly webAddr: string | false;
  /** `web_allow_hosts`; empty = names of this machine. */
  readonly allowHosts?: readonly string[];
  /** `inspect_db_size`: 0 = 50 MB, below 0 nothing is recorded, else bytes, at least 1 MiB. */
  readonly dbSize?: number;
  /** Where the pages lie, asked for when somebody opens one; absent = there are none. */
  readonly pages?: PagesFolder;
  readonly log: InspectorLog;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
  /** Unix milliseconds. */
  readonly wall?: () => number;
  /** In [0, 1). */
  readonly random?: () => number;
}

export interface Inspector {
  /** Where the local API is, `127.0.0.1:4040`; '' without one. */
  readonly addr: string;
  /** For `ListenOptions.watch` of this tunnel. */
  watch(tunnel: WatchedTunnel): (info: WatchInfo) => ConnectionWatch;
  /** Of one tunnel, or of all. */
  metrics(tunnel?: string): TunnelMetricsView;
  /** The newest requests, newest first. */
  recent(count: number): readonly ExchangeSummary[];
  /** Called for each thing that is new about a request; returns what ends it. */
  onRequest(listener: () => void): () => void;
  close(): Promise<void>;
}

/**
 * Watches what passes an agent, and serves the local API with its pages.
 * @throws Error when `webAddr` or `allowHosts` cannot be used
 */
export async function startInspector(options: InspectorOptions): Promise<Inspector> {
  const now = options.now ?? (() => performance.now());
  const size = options.dbSize ?? 0;
  const guard = new Guard(options.allowHosts ?? []);
  const recorder =
    size < 0
      ? undefined
      : new Recorder({
          bound: size === 0 ? STANDARD_BYTES : Math.max(LEAST_BYTES, size),
          now,
          wall: options.wall ?? Date.now,
          random: options.random ?? Math.random,
        });
  const watches = new Watches(recorder, now);
  const served =
    options.webAddr === false ? undefined : await serve(options, options.webAddr, guard, recorder, watches);
  return {
    addr: served?.addr ?? '',
    watch: (tunnel) => watches.watch(tunnel),
    metrics: (tunnel) => (tunnel === undefined ? watches.all : watches.of(tunnel)).view(),
    recent: (count) =>
      recorder === undefined
        ? []
        : recorder
            .newestFirst()
            .slice(0, count)
            .map((exchange) => summaryOf(recorder, exchange)),
    onRequest: (listener) => recorder?.listen({ onExchange: listener, onClear: listener }) ?? (() => {}),
    close: async () => served?.close(),
  };
}

async function serve(
  { tunnels, pages, log, allowHosts = [] }: InspectorOptions,
  addr: string,
  guard: Guard,
  recorder: Recorder | undefined,
  watches: Watches,
): Promise<{ readonly addr: string; close(): Promise<void> }> {
  const news = recorder === undefined ? undefined : new NewsStream(recorder);
  const replays = recorder === undefined ? undefined : new Replays(recorder, watches, tunnels);
  const server = await startLocalServer({
    addr,
    guard,
    routes: [
      ...tunnelRoutes(tunnels, watches),
      ...(recorder === undefined || replays === undefined ? [] : requestRoutes(recorder, replays)),
      ...inspectRoutes(recorder, watches, tunnels, news),
      ...(pages === undefined ? [] : pageRoutes(pages)),
    ],
    onFault: (error) => log.warn({ obj: 'web', err: error instanceof Error ? error.stack : String(error) }, 'fault'),
  });
  log.info({ obj: 'web', addr: server.addr, allow_hosts: allowHosts }, 'starting web service');
  return {
    addr: server.addr,
    close: async () => {
      news?.close();
      replays?.close();
      await server.close();
    },
  };
}
