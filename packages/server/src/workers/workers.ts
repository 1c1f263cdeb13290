/**
 * The edges of this server in processes of their own. Visitors' listeners are shared: every worker waits at the same
 * sockets, and whoever is free takes who comes. Agents are accepted here and handed out in turn, so that their sessions
 * spread evenly: a session stays for days. A worker that ends by itself is replaced.
 */
import cluster from 'node:cluster';
import type { Socket } from 'node:net';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Control } from '@postern/control';
import { type EdgeConfig, ShareKeeper } from '@postern/edge';
import { RemoteError } from '@postern/link/wire';
import type { ServerConfig } from '../config/server-config.ts';
import { ConfigError } from '../config/config-error.ts';
import { flagOf } from '../config/options.ts';
import type { Doors } from '../listeners/doors.ts';
import type { Logger } from '../log.ts';
import type { ListenerName } from '../listeners/list.ts';
import type { MoveRequest, WorkerDoor } from './calls.ts';
import { removeFolder, workersFolder } from './folder.ts';
import { TrafficCounts } from '../metrics/traffic-counts.ts';
import { lasting, sumStats, visitorsOf } from './sum.ts';
import type { PlaneNumbers } from './numbers.ts';
import { type Handle, handleOf } from './handles.ts';
import { Worker } from './worker.ts';

/** Before one that ended takes another's place; twice as long each time that it did not last. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
const LASTED_MS = 60_000;
/** How often they are asked for their numbers: what one that dies has counted since is lost. */
const MEASURE_MS = 2_000;
/** Connections that wait for a worker while there is none. */
const MOST_HELD = 1_000;

export interface WorkersOptions {
  readonly config: ServerConfig;
  readonly edge: EdgeConfig;
  readonly control: Control;
  readonly doors: Doors;
  readonly log: Logger;
}

/** A connection that was accepted here. */
interface Accepted {
  readonly socket: Socket;
  readonly door: ListenerName;
  readonly port: number;
}

/** A worker's place, and who has it. */
interface Slot {
  readonly index: number;
  worker: Worker | null;
  generation: number;
  pauseMs: number;
  timer: NodeJS.Timeout | null;
}

export class Workers {
  readonly #options: WorkersOptions;
  readonly #folder: string;
  readonly #slots: readonly Slot[];
  readonly #keeper: ShareKeeper;
  #doors: readonly WorkerDoor[] = [];
  #held: Accepted[] = [];
  /** How much of a core workers had, by name. */
  readonly #loads = new Map<string, number>();
  #turn = 0;
  #stopping = false;
  #measuring: NodeJS.Timeout | null = null;
  #lost = 0;
  /** Of those that have ended. */
  readonly #past: PlaneNumbers[] = [];

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#folder = workersFolder(options.config.dataDir, process.pid);
    this.#keeper = new ShareKeeper(options.edge.limits, () => performance.now());
    this.#slots = Array.from({ length: options.config.workers }, (_, index) => ({
      index,
      worker: null,
      generation: 0,
      pauseMs: FIRST_PAUSE_MS,
      timer: null,
    }));
    // Workers wait at one socket; who takes a connection is settled by the system, not by a message.
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    cluster.setupPrimary({
      exec: fileURLToPath(new URL('main.ts', import.meta.url)),
      args: [],
      serialization: 'advanced',
    });
  }

  /** Resolves when all of them serve. @throws ConfigError */
  async start(): Promise<void> {
    const fresh = this.#slots.map((slot) => this.#fork(slot));
    try {
      // Until then whoever comes waits here, and nobody else can have the ports.
      await Promise.all(fresh.map((worker) => worker.loaded()));
      this.#doors = this.#share();
      await Promise.all(fresh.map((worker) => this.#begin(worker)));
      this.#measuring = setInterval(() => this.#running().forEach((one) => void one.measure()), MEASURE_MS).unref();
    } catch (error) {
      await this.stop();
      if (error instanceof RemoteError) throw new ConfigError(flagOf('workers'), '', error.message);
      throw error;
    }
  }

  /** @param successor resolves when another server takes agents */
  async stop(successor?: Promise<void>): Promise<void> {
    this.#stopping = true;
    if (this.#measuring !== null) clearInterval(this.#measuring);
    for (const { timer } of this.#slots) if (timer !== null) clearTimeout(timer);
    for (const { socket } of this.#held.splice(0)) socket.destroy();
    const running = this.#running();
    void successor?.then(() => running.forEach((worker) => worker.succeeded()));
    await Promise.all(running.map((worker) => worker.stop()));
    removeFolder(this.#folder);
  }

  reload(): void {
    for (const worker of this.#running()) worker.reload();
  }

  async numbers(): Promise<PlaneNumbers> {
    const running = this.#running();
    await Promise.all(running.map((worker) => worker.measure()));
    const known = running.flatMap(({ name, numbers }) =>
      numbers === null ? [] : [{ name, connections: visitorsOf(numbers.edge), ...numbers }],
    );
    return {
      edge: { ...sumStats([...this.#past, ...known].map(({ edge }) => edge)), buckets: this.#keeper.buckets },
      traffic: [...this.#past.flatMap(({ traffic }) => traffic), ...known.map(({ traffic }) => traffic)],
      uncaught: [...this.#past, ...known].reduce((sum, { uncaught }) => sum + uncaught, 0),
      workers: known,
      lost: this.#lost,
    };
  }

  #running(): readonly Worker[] {
    return this.#slots.flatMap(({ worker }) => (worker === null ? [] : [worker]));
  }

  /**
   * Those of visitors are left for the workers to listen at. Agents come here, and so does whoever comes to sockets of a
   * service manager, which are this process's.
   */
  #share(): readonly WorkerDoor[] {
    return this.#options.doors.ofEdge().map(({ name, serves, door }) => {
      const { bound, addresses } = door;
      const shared = serves !== 'agents' && !door.given;
      if (shared) for (const socket of door.leave()) this.#hand({ socket, door: name, port: door.address.port });
      else door.serve((socket, port) => this.#hand({ socket, door: name, port }));
      return { name, serves, shared: shared ? bound : [], addresses };
    });
  }

  #hand(held: Accepted): void {
    const { socket, door, port } = held;
    const ready = this.#running().filter((worker) => worker.ready);
    this.#turn += 1;
    const worker = ready[this.#turn % ready.length];
    const handle = handleOf(socket);
    // It is gone already.
    if (handle === null) return void socket.destroy();
    if (worker !== undefined)
      worker.hand({
        handle,
        what: { kind: 'new', door, port },
        taken: () => void socket.destroy(),
        untaken: () => (this.#stopping ? void socket.destroy() : this.#hand(held)),
      });
    else if (this.#held.length < MOST_HELD && !this.#stopping) this.#held.push(held);
    else socket.destroy();
  }

  /** A connection of one worker is for another one. */
  #move(from: Worker, { id, edge, visitor }: MoveRequest, handle: Handle): void {
    const to = this.#running().find((worker) => worker.ready && worker.name === edge);
    const settle = (stays: boolean): void => {
      handle.close();
      from.settle(id, stays);
    };
    if (to === undefined || this.#stopping) return settle(true);
    to.hand({
      handle,
      what: { kind: 'moved', from: from.name, visitor },
      taken: () => settle(false),
      untaken: () => settle(true),
    });
  }

  #load(of: Worker, share: number): void {
    this.#loads.set(of.name, share);
    const loads = Object.fromEntries(this.#loads);
    for (const worker of this.#running()) worker.loads(loads);
  }

  #fork(slot: Slot): Worker {
    slot.generation += 1;
    const name = `w${slot.index + 1}.${slot.generation}`;
    const connection = this.#options.control.connectEdge(name);
    const worker = new Worker(name, connection.link, this.#keeper, {
      onMove: (from, request, handle) => this.#move(from, request, handle),
      onLoad: (of, share) => this.#load(of, share),
      onGone: () => void connection.gone(),
    });
    slot.worker = worker;
    const since = performance.now();
    void worker.ended.then((how) => this.#ended(slot, worker, how, performance.now() - since));
    return worker;
  }

  async #begin(worker: Worker): Promise<void> {
    const { config, edge } = this.#options;
    const { addressData, owaspCrs, logFormat, logLevel } = config;
    await worker.start({
      name: worker.name,
      directory: this.#folder,
      config: edge,
      doors: this.#doors,
      addressData,
      owaspCrs,
      logFormat,
      logLevel,
    });
    this.#options.log.info({ worker: worker.name, pid: worker.pid }, 'a worker serves');
    for (const held of this.#held.splice(0)) this.#hand(held);
  }

  #ended(slot: Slot, worker: Worker, how: string, livedMs: number): void {
    slot.worker = null;
    this.#loads.delete(worker.name);
    const { numbers } = worker;
    if (numbers !== null) {
      const { edge, traffic, uncaught } = numbers;
      this.#past.push({ edge: lasting(edge), traffic: [traffic], uncaught, workers: [], lost: 0 });
      if (this.#past.length > 1) this.#past.splice(0, Infinity, merged(this.#past));
    }
    for (const handing of worker.unclaimed()) handing.untaken();
    if (this.#stopping) return;
    this.#lost += 1;
    const { log } = this.#options;
    slot.pauseMs = livedMs > LASTED_MS ? FIRST_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, slot.pauseMs * 2);
    log.error(
      { worker: worker.name, how, again_in_ms: slot.pauseMs },
      'a worker has ended; its visitors and agents are cut off',
    );
    slot.timer = setTimeout(() => {
      const next = this.#fork(slot);
      this.#begin(next).catch((error: unknown) => {
        log.error({ worker: next.name, err: error }, 'a worker could not be started');
        next.kill();
      });
    }, slot.pauseMs);
  }
}

function merged(past: readonly PlaneNumbers[]): PlaneNumbers {
  return {
    edge: sumStats(past.map(({ edge }) => edge)),
    traffic: [past.flatMap(({ traffic }) => traffic).reduce((sum, one) => sum.add(one), new TrafficCounts()).sums],
    uncaught: past.reduce((sum, { uncaught }) => sum + uncaught, 0),
    workers: [],
    lost: 0,
  };
}
