/**
 * A worker: an edge in a process of its own, started and told everything by the server (`workers.ts`). It decides
 * nothing about its own life: signals are the server's, and when that is gone, so is the worker.
 */
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { AskingShares, createEdge, type Edge, type Listener, type OnceKind, type Order } from '@postern/edge';
import type { ControlLink } from '@postern/link';
import { connectControl, overProcess, Peer, split } from '@postern/link/wire';
import { AddressFiles } from '../address-files.ts';
import { spreadLastNet, uncaught } from '../last-net.ts';
import { HeldListener } from '../listeners/held-listener.ts';
import type { Address } from '../config/addresses.ts';
import { codeOf } from '../problem.ts';
import { createLogger, type Logger } from '../log.ts';
import { TrafficCounts } from '../metrics/traffic-counts.ts';
import { processNumbers } from '../metrics/process-numbers.ts';
import { keepGarbageYoung } from '../young-garbage.ts';
import { type WorkerCalls, type WorkerDoor, type WorkerStart, WAYS } from './calls.ts';
import { HandedOverDoors } from './handed-over.ts';
import { Moving } from './moving.ts';

// A terminal or a service manager tells the whole group; the server then tells each worker what to do.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

keepGarbageYoung();

const TRIES = 40;
const TRY_EVERY_MS = 25;

interface Serving {
  readonly edge: Edge;
  readonly addresses: AddressFiles | null;
}

let serving: Serving | null = null;
const channels = split(overProcess(process), WAYS);
const link = connectControl(channels.link);
const traffic = new TrafficCounts();
const shares: AskingShares = new AskingShares(
  {
    ask: (asks) => keeper.call('ask', asks),
    tell: (told) => keeper.tell('tell', told),
    once: (kind, key) => keeper.call('once', kind, key),
    end: (sessionId, until) => keeper.call('end', sessionId, until),
  },
  () => performance.now(),
);
const keeper = new Peer(
  channels.shares,
  {
    order: (orders: readonly Order[]) => shares.ordered(orders),
    work: (kind: OnceKind, key: string) => shares.work(kind, key),
    ended: (sessionId: string, until: number) => shares.ended(sessionId, until),
  },
  () => {},
);
const calls: WorkerCalls = {
  loaded: () => {},
  async start(start) {
    const log = createLogger({ format: start.logFormat, level: start.logLevel }).child({ worker: start.name });
    const net = spreadLastNet(log);
    serving = await serve(start, log);
    await serving.edge.start();
    net.up();
  },
  async stop() {
    await made().edge.stop(succession.promise);
    await made().addresses?.close();
  },
  succeeded: () => succession.resolve(),
  numbers() {
    // First: what it holds back of traffic is counted by this.
    const edge = made().edge.stats();
    return { edge, traffic: traffic.sums, process: processNumbers(), uncaught: uncaught.count };
  },
  moved: (id, stays) => moving.settled(id, stays),
  loads: (loads) => moving.loads(loads),
  reload: () => void made().addresses?.reload(),
};
const succession = Promise.withResolvers<void>();
const server = new Peer(channels.worker, { ...calls }, () => process.exit(0));
// The system would end connections as if all had been said. First: `node:cluster` ends the process when it hears of it.
process.prependListener('disconnect', () => serving?.edge.cut());
const moving: Moving = new Moving({
  load: (share) => server.tell('load', share),
  underWay: () => server.call('underWay'),
});
const handedOver = new HandedOverDoors((socket, visitor, from) => made().edge.take(socket, visitor, from));
process.on('message', (message, socket) => handedOver.take(message, socket));

function made(): Serving {
  if (serving === null) throw new Error('it has not been started');
  return serving;
}

async function serve(start: WorkerStart, log: Logger): Promise<Serving> {
  const listeners: Listener[] = [];
  try {
    for (const door of start.doors) {
      // One that fails leaves none open.
      // oxlint-disable-next-line no-await-in-loop
      listeners.push(await openDoor(door));
    }
    const addresses =
      start.addressData.length === 0
        ? null
        : await AddressFiles.open(start.addressData, log.child({ sub: 'address data' }));
    const firewall =
      start.owaspCrs.length === 0
        ? null
        : (await import('../firewall/firewall.ts')).openFirewall(start.owaspCrs, log.child({ sub: 'firewall' }));
    const edge = createEdge({
      config: start.config,
      link: counting(start.config.accessLog),
      log: log.child({ sub: 'edge' }),
      now: Date.now,
      random: Math.random,
      addresses,
      listeners,
      shares,
      peers: { name: start.name, directory: start.directory },
      moves: moving,
      firewall,
    });
    return { edge, addresses };
  } catch (error) {
    for (const { open } of listeners) open.close();
    throw error;
  }
}

/** Exchanges are counted here: a message for each would cost more than the way across. @param told they are written down */
function counting(told: boolean): ControlLink {
  return {
    ...link,
    traffic(events) {
      for (const event of events) traffic.observe(event);
      if (told) link.traffic(events);
    },
  };
}

async function openDoor({ name, serves, shared, addresses }: WorkerDoor): Promise<Listener> {
  if (shared.length === 0) return { name, serves, open: handedOver.open(name, addresses) };
  const held: HeldListener[] = [];
  for (const address of shared) {
    // oxlint-disable-next-line no-await-in-loop
    held.push(await bindPatiently(address));
  }
  return {
    name,
    serves,
    open: {
      addresses,
      serve: (onConnection) => held.forEach((listener) => listener.serve(onConnection)),
      close: () => held.forEach((listener) => listener.close()),
    },
  };
}

/** Somebody's connection may have the port for a moment, between the server's leaving it and this. */
async function bindPatiently(address: Address): Promise<HeldListener> {
  for (let left = TRIES; ; left -= 1) {
    try {
      // oxlint-disable-next-line no-await-in-loop
      return await HeldListener.bind(address);
    } catch (error) {
      if (left === 0 || codeOf(error) !== 'EADDRINUSE') throw error;
      // oxlint-disable-next-line no-await-in-loop
      await setTimeout(TRY_EVERY_MS);
    }
  }
}
