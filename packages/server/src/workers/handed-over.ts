/** Connections that the server hands to this worker: those it has accepted itself, and those of other workers. */
import process from 'node:process';
import type { Socket } from 'node:net';
import type { MovedVisitor, OpenListener } from '@postern/edge';
import type { Address } from '../config/addresses.ts';
import type { ListenerName } from '../listeners/list.ts';
import type { Handed, HandedOver, Took } from './calls.ts';
import { type Handle, isHandle, socketOf } from './handles.ts';

type Serve = (socket: Socket, port: number) => void;

export class HandedOverDoors {
  readonly #serve = new Map<ListenerName, Serve>();
  readonly #moved: (socket: Socket, visitor: MovedVisitor, from: string) => void;

  constructor(moved: (socket: Socket, visitor: MovedVisitor, from: string) => void) {
    this.#moved = moved;
  }

  open(name: ListenerName, addresses: readonly Address[]): OpenListener {
    return {
      addresses,
      serve: (onConnection) => void this.#serve.set(name, onConnection),
      close: () => void this.#serve.delete(name),
    };
  }

  /** @param message any that came over the process's channel; a socket comes with those that are for `sockets` */
  take(message: unknown, handle: unknown): void {
    if (!isHandle(handle) || process.send === undefined) return;
    // The server posts it as `calls.ts` says.
    // oxlint-disable-next-line no-unsafe-type-assertion
    const { id, what } = (message as { readonly message: HandedOver }).message;
    const took: Took = { took: id };
    // Read when that is said for good: until then, if this process ends, somebody else gets it whole.
    process.send({ to: 'sockets', message: took }, undefined, {}, (error) => {
      if (error === null) this.#begin(what, handle);
    });
  }

  #begin(what: Handed, handle: Handle): void {
    const socket = socketOf(handle);
    if (what.kind === 'moved') return this.#moved(socket, what.visitor, what.from);
    const serve = this.#serve.get(what.door);
    if (serve === undefined) socket.destroy();
    else serve(socket, what.port);
  }
}
