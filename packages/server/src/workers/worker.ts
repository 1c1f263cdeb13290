/** One worker as the server sees it: its process, its link to control, and what it is asked. */
import cluster, { type Worker as ClusterWorker } from 'node:cluster';
import type { Ask, OnceKind, ShareKeeper, ShareSide, Told } from '@postern/edge';
import { within, type ControlLink } from '@postern/link';
import { overProcess, Peer, serveControl, split } from '@postern/link/wire';
import {
  type Handed,
  type HandedOver,
  type MoveRequest,
  type Took,
  type WorkerNumbers,
  type WorkerStart,
  WAYS,
} from './calls.ts';
import { type Handle, isHandle } from './handles.ts';

/** For numbers: one that is busy for longer is shown as it was last. */
const NUMBERS_MS = 1_000;
/** Until it knows of a session that is over: whoever logs out waits for it. */
const ENDED_MS = 1_000;
/** For what is done once for all: a few requests to a provider. */
const WORK_MS = 60_000;

/** After which a socket that the worker has not said it has is asked for. */
const ASK_MS = 5_000;

/** A connection that a worker is to serve. It is open here, too, until one of the two runs, which is once. */
export interface Handing {
  readonly handle: Handle;
  readonly what: Handed;
  /** The worker has it. */
  taken(): void;
  /** It has not come to the worker, and will not. */
  untaken(): void;
}

/** What the server does with what its workers say. */
interface WorkerEvents {
  /** A connection of this worker is for another one; {@link Worker.settle} says what became of it. */
  onMove(worker: Worker, request: MoveRequest, handle: Handle): void;
  onLoad(worker: Worker, share: number): void;
  /** It is gone, however it ended. */
  onGone(): void;
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
  readonly #handed = new Map<number, Handing>();
  /** Its own, that are on their way to other workers. */
  readonly #leaving = new Set<number>();
  #lastHanded = 0;

  constructor(name: string, link: ControlLink, keeper: ShareKeeper, events: WorkerEvents) {
    this.name = name;
    this.#process = cluster.fork();
    const { process } = this.#process;
    this.#ended = new Promise((resolve) => {
      process.once('exit', (code, signal) => resolve(signal === null ? `code ${code}` : signal));
      // It could not even be started.
      process.once('error', (error) => resolve(error.message));
    });
    const channels = split(overProcess(process), WAYS);
    const control = serveControl(channels.link, link, () => events.onGone());
    const side: ShareSide = keeper.join({
      name,
      order: (orders) => shares.tell('order', orders),
      work: (kind, key) => within(WORK_MS, shares.call('work', kind, key)),
      ended: (sessionId, until) => within(ENDED_MS, shares.call('ended', sessionId, until)),
    });
    const shares = new Peer(
      channels.shares,
      {
        ask: (asks: readonly Ask[]) => side.answer(asks),
        tell: (told: readonly Told[]) => side.told(told),
        once: (kind: OnceKind, key: string) => side.once(kind, key),
        end: (sessionId: string, until: number) => side.end(sessionId, until),
      },
      () => side.gone(),
    );
    const answers = {
      load: (share: number) => events.onLoad(this, share),
      underWay: () => [...this.#leaving],
    };
    this.#peer = new Peer(channels.worker, answers, () => {
      this.ready = false;
    });
    process.on('message', (message, handle) => this.#heard(message, handle, events));
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

  /** Hands a connection over that nobody reads. */
  hand(handing: Handing): void {
    const id = (this.#lastHanded += 1);
    this.#handed.set(id, handing);
    const message: HandedOver = { id, what: handing.what };
    // Kept open here until it is there: what the system has of a message to a process that dies is lost.
    this.#process.process.send({ to: 'sockets', message }, handing.handle, {}, () => {});
    setTimeout(() => void this.#ask(id), ASK_MS).unref();
  }

  /** It has ended: @returns connections that have not come to it */
  unclaimed(): readonly Handing[] {
    const unclaimed = [...this.#handed.values()];
    this.#handed.clear();
    return unclaimed;
  }

  /** What became of a connection that it has sent on. */
  settle(id: number, stays: boolean): void {
    this.#leaving.delete(id);
    this.#peer.tell('moved', id, stays);
  }

  /** A process that has no file descriptor to spare does not get a socket that is sent to it. */
  async #ask(id: number): Promise<void> {
    if (!this.#handed.has(id)) return;
    try {
      // What it took before it answers it has told of before.
      await this.#peer.call('loaded');
    } catch {
      // It has ended, and what has not come to it is `unclaimed`.
      return;
    }
    const handing = this.#handed.get(id);
    this.#handed.delete(id);
    handing?.untaken();
  }

  #heard(raw: unknown, handle: unknown, events: WorkerEvents): void {
    // It posts them as `calls.ts` says.
    // oxlint-disable-next-line no-unsafe-type-assertion
    const { to, message } = raw as { readonly to: string; readonly message: MoveRequest | Took };
    if (to !== 'sockets') return;
    if ('took' in message) {
      const handing = this.#handed.get(message.took);
      this.#handed.delete(message.took);
      handing?.taken();
    } else if (isHandle(handle)) {
      this.#leaving.add(message.id);
      events.onMove(this, message, handle);
    }
  }

  loads(loads: Readonly<Record<string, number>>): void {
    this.#peer.tell('loads', loads);
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
    try {
      this.numbers = await within(NUMBERS_MS, this.#peer.call<WorkerNumbers>('numbers'));
    } catch {
      // It is busy, or has just ended.
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
