import { once } from 'node:events';
import net from 'node:net';

/** A proxy on a free port that speaks both HTTP CONNECT and SOCKS 5, as the first byte says. */
export interface TestProxy {
  readonly port: number;
  /** `host:port` of each request that was understood. */
  readonly asked: string[];
  /** `user:password` that it wants; '' = none. */
  login: string;
  forbids: boolean;
  /** Said instead of an answer, before it closes. */
  garbage: string | undefined;
  /** Whether a 100 comes before the answer. */
  interim: boolean;
  close(): Promise<void>;
}

export async function startProxy(): Promise<TestProxy> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    serve(socket, proxy).catch(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: TestProxy = {
    port: portOf(server),
    asked: [],
    login: '',
    forbids: false,
    garbage: undefined,
    interim: false,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

function portOf(server: net.Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
  return address.port;
}

async function serve(socket: net.Socket, proxy: TestProxy): Promise<void> {
  const first = await next(socket);
  if (proxy.garbage !== undefined) return void socket.end(proxy.garbage);
  if (first[0] === 5) await socks(socket, proxy, first);
  else await connect(socket, proxy, first.toString());
}

async function connect(socket: net.Socket, proxy: TestProxy, head: string): Promise<void> {
  const [, host = '', port = ''] = /^CONNECT (\S+):(\d+) HTTP\/1\.1\r\nHost: \1:\2\r\n/.exec(head) ?? [];
  const [, login = ''] = /\r\nProxy-Authorization: Basic (\S+)\r\n/.exec(head) ?? [];
  const refuse = (line: string): void => void socket.end(`HTTP/1.1 ${line}\r\nContent-Length: 0\r\n\r\n`);
  if (proxy.login !== '' && Buffer.from(login, 'base64').toString() !== proxy.login)
    return refuse('407 Proxy Authentication Required');
  if (proxy.forbids) return refuse('403 Forbidden');
  proxy.asked.push(`${host}:${port}`);
  if (proxy.interim) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
  const far = await dial(host, Number(port));
  if (far === undefined) return refuse('502 Bad Gateway');
  socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
  join(socket, far);
}

async function socks(socket: net.Socket, proxy: TestProxy, greeting: Buffer): Promise<void> {
  const offered = [...greeting.subarray(2)];
  const method = proxy.login === '' ? 0 : 2;
  if (!offered.includes(method)) return void socket.end(Buffer.from([5, 255]));
  socket.write(Buffer.from([5, method]));
  if (method === 2) {
    const given = await next(socket);
    const nameLength = given[1] ?? 0;
    const name = given.subarray(2, 2 + nameLength).toString();
    const password = given.subarray(3 + nameLength).toString();
    if (`${name}:${password}` !== proxy.login) return void socket.end(Buffer.from([1, 1]));
    socket.write(Buffer.from([1, 0]));
  }
  const request = await next(socket);
  const port = request.readUInt16BE(request.length - 2);
  const isName = request[3] === 3;
  const host = isName ? request.subarray(5, -2).toString() : request.subarray(4, -2).join('.');
  const answer = (code: number): Buffer => Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
  if (proxy.forbids) return void socket.end(answer(2));
  proxy.asked.push(`${host}:${port}`);
  const far = await dial(host, port);
  if (far === undefined) return void socket.end(answer(5));
  socket.write(answer(0));
  join(socket, far);
}

async function next(socket: net.Socket): Promise<Buffer> {
  const [chunk]: unknown[] = await once(socket, 'data');
  return chunk instanceof Buffer ? chunk : Buffer.alloc(0);
}

async function dial(host: string, port: number): Promise<net.Socket | undefined> {
  const far = net.connect({ host, port });
  try {
    await once(far, 'connect');
    return far;
  } catch {
    return undefined;
  }
}

function join(near: net.Socket, far: net.Socket): void {
  far.on('error', () => near.destroy());
  far.on('close', () => near.destroy());
  near.on('close', () => far.destroy());
  near.pipe(far);
  far.pipe(near);
}
