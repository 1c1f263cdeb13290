import type net from 'node:net';

/** Services of one test that listeners forward to. */
export class Services {
  readonly #closers: (() => Promise<unknown>)[] = [];

  /** Starts it on a free port; returns the port. */
  async start(service: net.Server): Promise<number> {
    const sockets = new Set<net.Socket>();
    service.on('connection', (socket: net.Socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    this.#closers.push(async () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => service.close(resolve));
    });
    const address = service.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async close(): Promise<void> {
    await Promise.all(this.#closers.map((close) => close()));
  }
}
