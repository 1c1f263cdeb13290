/**
 * Connections that go on at another worker, on a worker's side. The socket goes through the server, which knows all of
 * them: processes hand sockets over on the channel between parent and child only.
 */
import process from 'node:process';
import type { Socket } from 'node:net';
import type { MoveChannel, MovedVisitor } from '@postern/edge';
import type { MoveRequest } from './calls.ts';
import { handleOf } from './handles.ts';

/** After which it is asked whether a socket that nobody has said anything of is on its way still. */
const ASK_MS = 5_000;
/** A worker that has so much more of a core than this one is left alone when it has nearly all of it. */
const MUCH_MORE = 0.2;
const BUSY = 0.75;
const LOOK_MS = 500;
/** Smaller changes are not told. */
const CHANGE = 0.1;

interface Sent {
  readonly onSettled: (stays: boolean) => void;
  readonly timer: NodeJS.Timeout;
}

interface ServerSide {
  /** How much of a core the worker had. */
  load(share: number): void;
  /** Numbers of this worker's connections that are on their way. */
  underWay(): Promise<readonly number[]>;
}

export class Moving implements MoveChannel {
  readonly #server: ServerSide;
  readonly #sent = new Map<number, Sent>();
  #lastId = 0;
  #loads: Readonly<Record<string, number>> = {};
  #own = 0;
  #told = 0;
  #spent = process.cpuUsage();
  #looked = performance.now();

  constructor(server: ServerSide) {
    this.#server = server;
    setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** What the others have told. */
  loads(loads: Readonly<Record<string, number>>): void {
    this.#loads = loads;
  }

  wanted(edge: string): boolean {
    const there = this.#loads[edge] ?? 0;
    return process.platform !== 'win32' && (there < BUSY || this.#own > there - MUCH_MORE);
  }

  send(edge: string, socket: Socket, visitor: MovedVisitor, onSettled: (stays: boolean) => void): void {
    const id = (this.#lastId += 1);
    const message: MoveRequest = { id, edge, visitor };
    const handle = handleOf(socket);
    if (handle === null || process.send === undefined) return void setImmediate(onSettled, true);
    this.#sent.set(id, { onSettled, timer: setTimeout(() => void this.#ask(id), ASK_MS).unref() });
    process.send({ to: 'sockets', message }, handle, {}, (error) => {
      if (error !== null) this.settled(id, true);
    });
  }

  settled(id: number, stays: boolean): void {
    const sent = this.#sent.get(id);
    if (sent === undefined) return;
    this.#sent.delete(id);
    clearTimeout(sent.timer);
    sent.onSettled(stays);
  }

  /** A process without a file descriptor to spare is told of a socket, and does not get it. */
  async #ask(id: number): Promise<void> {
    const late = setTimeout(() => this.settled(id, false), ASK_MS).unref();
    const underWay = await this.#server.underWay().catch((): readonly number[] => []);
    clearTimeout(late);
    // What is settled by now has been said before this answer.
    if (underWay.includes(id)) this.#again(id);
    else this.settled(id, true);
  }

  #again(id: number): void {
    const sent = this.#sent.get(id);
    if (sent !== undefined)
      this.#sent.set(id, { ...sent, timer: setTimeout(() => void this.#ask(id), ASK_MS).unref() });
  }

  #look(): void {
    // Of CPU time: on a machine that has none to spare, everybody seems busy, and less work is what helps.
    const now = performance.now();
    const { user, system } = process.cpuUsage(this.#spent);
    this.#own = (user + system) / 1_000 / (now - this.#looked);
    this.#spent = process.cpuUsage();
    this.#looked = now;
    if (Math.abs(this.#own - this.#told) < CHANGE) return;
    this.#told = this.#own;
    this.#server.load(this.#own);
  }
}
