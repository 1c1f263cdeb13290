/** Listeners whose connections the server accepts and hands over one by one, with not a byte of them read. */
import { Socket } from 'node:net';
import type { OpenListener } from '@postern/edge';
import type { Address } from '../config/addresses.ts';
import type { ListenerName } from '../listeners/list.ts';
import type { HandedOver } from './calls.ts';

type Serve = (socket: Socket, port: number) => void;

export class HandedOverDoors {
  readonly #serve = new Map<ListenerName, Serve>();
  readonly #took: (id: number) => void;

  /** @param took tells the server that a connection is here */
  constructor(took: (id: number) => void) {
    this.#took = took;
  }

  open(name: ListenerName, addresses: readonly Address[]): OpenListener {
    return {
      addresses,
      serve: (onConnection) => void this.#serve.set(name, onConnection),
      close: () => void this.#serve.delete(name),
    };
  }

  /** @param message any that came over the process's channel; a connection comes with those that are for `sockets` */
  take(message: unknown, socket: unknown): void {
    if (!(socket instanceof Socket)) return;
    // What comes back over the channel has the defaults of a client's socket.
    socket.allowHalfOpen = true;
    socket.setNoDelay(true);
    // The server posts it as `calls.ts` says.
    // oxlint-disable-next-line no-unsafe-type-assertion
    const { id, door, port } = (message as { readonly message: HandedOver }).message;
    this.#took(id);
    const serve = this.#serve.get(door);
    if (serve === undefined) socket.destroy();
    else serve(socket, port);
  }
}
