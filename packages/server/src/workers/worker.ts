/** One worker as the server sees it: its process, its link to control, and what it is asked. */
import cluster, { type Worker as ClusterWorker } from 'node:cluster';
import type { Socket } from 'node:net';
import type { Ask, ShareKeeper, ShareSide, Told } from '@postern/edge';
import type { ControlLink } from '@postern/link';
import { overProcess, Peer, serveControl, split } from '@postern/link/wire';
import type { ListenerName } from '../listeners/list.ts';
import { type HandedOver, type WorkerNumbers, type WorkerStart, WAYS } from './calls.ts';

/** For numbers: one that is busy for longer is shown as it was last. */
const NUMBERS_MS = 1_000;

/** A connection that a worker is to serve. */
export interface HandedSocket {
  readonly socket: Socket;
  readonly door: ListenerName;
  readonly port: number;
}

export class Worker {
  readonly name: string;
  /** It serves. */
  ready = false;
  /** As it said last. */
  numbers: WorkerNumbers | null = null;
  readonly #process: ClusterWorker;
  readonly #peer: Peer;
  readonly #ended: Promise<string>;
  /** Connections that were handed over, and that it has not said it has. */
  readonly #handed = new Map<number, HandedSocket>();
  #lastHanded = 0;

  /** @param onGone it is gone, however it ended */
  constructor(name: string, link: ControlLink, keeper: ShareKeeper, onGone: () => void) {
    this.name = name;
    this.#process = cluster.fork();
    const { process } = this.#process;
    this.#ended = new Promise((resolve) => {
      process.once('exit', (code, signal) => resolve(signal === null ? `code ${code}` : signal));
      // It could not even be started.
      process.once('error', (error) => resolve(error.message));
    });
    const channels = split(overProcess(process), WAYS);
    const control = serveControl(channels.link, link, onGone);
    const side: ShareSide = keeper.join((orders) => shares.tell('order', orders));
    const shares = new Peer(
      channels.shares,
      {
        ask: (asks: readonly Ask[]) => side.answer(asks),
        tell: (told: readonly Told[]) => side.told(told),
      },
      () => side.gone(),
    );
    this.#peer = new Peer(channels.worker, { took: (id: number) => this.#took(id) }, () => {
      this.ready = false;
    });
    // The channel of a process that was killed with a connection under way to it never says that it has closed.
    void this.#ended.then(() => [control, shares, this.#peer].forEach((peer) => peer.close()));
  }

  get pid(): number {
    return this.#process.process.pid ?? 0;
  }

  /** Resolves with how its process ended. */
  get ended(): Promise<string> {
    return this.#ended;
  }

  /** Resolves when it would serve at once. */
  loaded(): Promise<void> {
    return this.#peer.call('loaded');
  }

  async start(start: WorkerStart): Promise<void> {
    await this.#peer.call('start', start);
    this.ready = true;
  }

  /** Hands a connection over of which nothing has been read. */
  hand(handed: HandedSocket): void {
    const { socket, door, port } = handed;
    const id = (this.#lastHanded += 1);
    this.#handed.set(id, handed);
    const message: HandedOver = { id, door, port };
    // Kept open here until it is there: what the system has of a message to a process that dies is lost.
    this.#process.process.send({ to: 'sockets', message }, socket, { keepOpen: true }, () => {});
  }

  /** @returns connections that have not come to it, once it has ended */
  unclaimed(): readonly HandedSocket[] {
    const unclaimed = [...this.#handed.values()];
    this.#handed.clear();
    return unclaimed;
  }

  #took(id: number): void {
    this.#handed.get(id)?.socket.destroy();
    this.#handed.delete(id);
  }

  succeeded(): void {
    this.#peer.tell('succeeded');
  }

  reload(): void {
    this.#peer.tell('reload');
  }

  /** Asks anew, if it answers in time. */
  async measure(): Promise<void> {
    if (!this.ready) return;
    const timer = Promise.withResolvers<null>();
    const late = setTimeout(() => timer.resolve(null), NUMBERS_MS);
    try {
      this.numbers = (await Promise.race([this.#peer.call<WorkerNumbers>('numbers'), timer.promise])) ?? this.numbers;
    } catch {
      // It has just ended.
    } finally {
      clearTimeout(late);
    }
  }

  /** The ordered stop; its process has ended then. */
  async stop(): Promise<void> {
    // Nothing has come to one that does not serve yet.
    if (!this.ready) this.kill();
    // One that has died has nothing left to stop.
    await this.#peer.call('stop').catch(() => undefined);
    await this.measure();
    this.#peer.close();
    await this.#ended;
  }

  kill(): void {
    this.#process.process.kill('SIGKILL');
  }
}
