/** An HTTP proxy for CONNECT on a free port, that asks for a login when one is set. */
import http from 'node:http';
import net from 'node:net';
import { portOf } from './port-of.ts';

export class ConnectProxy {
  /** `host:port` of each request that it let through. */
  readonly asked: string[] = [];
  readonly #server: http.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(login: string) {
    const wanted = `Basic ${Buffer.from(login).toString('base64')}`;
    this.#server = http.createServer((_request, response) => response.writeHead(405).end());
    this.#server.on('connect', (request, near: net.Socket, head: Buffer) => {
      this.#track(near);
      if (request.headers['proxy-authorization'] !== wanted)
        near.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n');
      else this.#join(request.url ?? '', near, head);
    });
  }

  /** @param login `user:password` */
  static async start(login: string): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(login);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return portOf(this.#server);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(target: string, near: net.Socket, head: Buffer): void {
    this.asked.push(target);
    const [host = '', port = ''] = target.split(':');
    const far = this.#track(net.connect({ host, port: Number(port) }));
    far.once('connect', () => {
      near.write('HTTP/1.1 200 OK\r\n\r\n');
      far.write(head);
      near.pipe(far).pipe(near);
    });
    far.on('close', () => near.destroy());
    near.on('close', () => far.destroy());
  }

  #track(socket: net.Socket): net.Socket {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    return socket;
  }
}
