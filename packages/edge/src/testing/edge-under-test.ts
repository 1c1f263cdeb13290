import { fork } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { ControlLink } from '@postern/link';
import { overProcess, Peer, serveControl, split } from '@postern/link/wire';
import { ignore } from '../connection/pipe.ts';
import type { EdgeConfig, Log } from '../context.ts';
import { createEdge, type EdgeStats } from '../edge.ts';
import { type BoundAddresses, boundAddresses, LOOPBACK, openListeners, type TestAddresses } from './open-listeners.ts';

/** What tests ask of an edge, wherever it runs. */
export interface EdgeUnderTest {
  readonly addresses: BoundAddresses;
  start(): Promise<void>;
  stop(): Promise<void>;
  stats(): Promise<EdgeStats>;
  /** Its process dies without a word; null = it has none of its own. */
  readonly kill: (() => Promise<void>) | null;
}

/** In this process; in one of its own, with the link between the two, where `POSTERN_EDGE_LINK=process` says so. */
export function makeEdge(
  config: EdgeConfig,
  addresses: TestAddresses,
  link: ControlLink,
  log: Log,
): Promise<EdgeUnderTest> {
  return process.env['POSTERN_EDGE_LINK'] === 'process'
    ? elsewhere(config, link, ignore, addresses)
    : here(config, addresses, link, log);
}

async function here(config: EdgeConfig, addresses: TestAddresses, link: ControlLink, log: Log): Promise<EdgeUnderTest> {
  const listeners = await openListeners(addresses);
  const edge = createEdge({ config, link, listeners, log, now: Date.now, random: Math.random });
  return {
    addresses: boundAddresses(listeners),
    start: () => edge.start(),
    stop: () => edge.stop(),
    stats: () => Promise.resolve(edge.stats()),
    kill: null,
  };
}

/** @param onGone its process has ended, however it did */
export async function elsewhere(
  config: EdgeConfig,
  link: ControlLink,
  onGone: () => void = ignore,
  wanted: TestAddresses = LOOPBACK,
): Promise<EdgeUnderTest> {
  const child = fork(fileURLToPath(new URL('edge-process.ts', import.meta.url)), {
    serialization: 'advanced',
    execArgv: [],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const channels = split(overProcess(child), ['link', 'test']);
  serveControl(channels.link, link, onGone);
  let stopped: Promise<void> | null = null;
  const peer = new Peer(channels.test, {}, ignore);
  const addresses = await peer.call<BoundAddresses>('create', config, wanted).catch((error: unknown) => {
    peer.close();
    throw error;
  });
  return {
    addresses,
    start: () => peer.call('start'),
    stop() {
      stopped ??= (async () => {
        // A process that has died has nothing left to stop.
        await peer.call('stop').catch(ignore);
        peer.close();
        await ended;
      })();
      return stopped;
    },
    stats: () => peer.call('stats'),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
