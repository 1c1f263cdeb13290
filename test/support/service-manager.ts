/** What a service manager does for a server: keeps its listening sockets, and starts it again whenever it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';

/** The server's number is known to the process itself only (LISTEN_PID), before it becomes the server. */
const MANAGER = `while [ ! -e "$STOPPED" ]; do sh -c 'LISTEN_PID=$$ exec "$@"' sh "$@"; done`;

export interface ServiceManager {
  /** The ports of the sockets, in the order of their names. */
  readonly ports: readonly number[];
  /** What the servers wrote to standard error. */
  readonly output: () => string;
  /** Starts no server again; the one that runs is the caller's to end. */
  retire(): Promise<void>;
  readonly ended: Promise<unknown>;
}

/**
 * @param command of the server, whose arguments are made of the ports
 * @param sockets their names (LISTEN_FDNAMES); none: the server opens its own
 */
export async function serviceManager(options: {
  readonly folder: string;
  readonly sockets: readonly string[];
  readonly command: (ports: readonly number[]) => readonly string[];
  readonly env: NodeJS.ProcessEnv;
}): Promise<ServiceManager> {
  const { folder, sockets, command, env } = options;
  const kept = await Promise.all(sockets.map(() => listening()));
  const ports = kept.map(({ port }) => port);
  const stopped = path.join(folder, 'stopped');
  await rm(stopped, { force: true });
  const manager: ChildProcess = spawn('sh', ['-c', MANAGER, 'sh', ...command(ports)], {
    stdio: ['ignore', 'ignore', 'pipe', ...kept.map(({ fd }) => fd)],
    env: { ...env, STOPPED: stopped, LISTEN_FDS: String(sockets.length), LISTEN_FDNAMES: sockets.join(':') },
  });
  const ended = once(manager, 'exit');
  let output = '';
  manager.stderr?.on('data', (chunk: Buffer) => (output += String(chunk)));
  // The manager has them; it does not accept.
  for (const { server } of kept) server.close();
  return { ports, output: () => output, retire: () => writeFile(stopped, ''), ended };
}

/** A listening socket, and its descriptor in this process. */
export async function listening(): Promise<{
  readonly server: net.Server;
  readonly fd: number;
  readonly port: number;
}> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { _handle: handle } = server as unknown as { readonly _handle: { readonly fd: number } };
  return { server, fd: handle.fd, port: (server.address() as net.AddressInfo).port };
}
