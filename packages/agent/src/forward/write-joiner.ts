import type { Writable } from 'node:stream';

/**
 * Joins the writes of bulk transfers: TLS delivers records of 16 KB, and writing each by itself costs most of what a
 * transfer costs (docs/performance.md). A corked socket is uncorked when all that has arrived has been read.
 */
export class WriteJoiner {
  #corked: Writable[] = [];

  /** Corks `socket` until the poll phase of the event loop is over. */
  join(socket: Writable): void {
    if (socket.writableCorked > 0) return;
    socket.cork();
    this.#corked.push(socket);
    if (this.#corked.length === 1) setImmediate(this.#uncork);
  }

  readonly #uncork = (): void => {
    const corked = this.#corked;
    this.#corked = [];
    for (const socket of corked) socket.uncork();
  };
}
