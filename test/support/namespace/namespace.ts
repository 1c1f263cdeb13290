/** Programs that must reach nothing but what a test gives them: a network namespace with loopback only (Linux). */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { relay } from '../relay.ts';

const BRIDGE = path.join(path.dirname(fileURLToPath(import.meta.url)), 'bridge.ts');

/** Why no namespace can be made here, or '' when it can. */
export function namespaceProblem(): string {
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  for (const [tool, flag] of [
    ['unshare', '--version'],
    ['nsenter', '--version'],
    ['ip', '-V'],
  ] as const) {
    if (spawnSync(tool, [flag]).error !== undefined) return `the program "${tool}" is missing`;
  }
  const tried = spawnSync('unshare', ['-rn', 'ip', 'link', 'set', 'lo', 'up'], { encoding: 'utf8' });
  return tried.status === 0 ? '' : `unshare -rn: ${tried.stderr.trim()}`;
}

export class LoopbackNamespace {
  readonly #bridge: ChildProcess;
  readonly #folder: string;
  readonly #servers: net.Server[] = [];
  readonly #sockets = new Set<net.Socket>();
  readonly #targets = new Map<number, () => { readonly host: string; readonly port: number }>();

  private constructor(bridge: ChildProcess, folder: string) {
    this.#bridge = bridge;
    this.#folder = folder;
  }

  static async create(): Promise<LoopbackNamespace> {
    const folder = await mkdtemp(path.join(tmpdir(), 'postern-netns-'));
    const bridge = spawn(
      'unshare',
      ['-rn', 'sh', '-c', 'ip link set lo up && exec "$0" "$1"', process.execPath, BRIDGE],
      {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      },
    );
    return new LoopbackNamespace(bridge, folder);
  }

  /** Lets `port` of the namespace's loopback be `target` out here. */
  async open(port: number, target: () => { readonly host: string; readonly port: number }): Promise<void> {
    const known = this.#targets.has(port);
    this.#targets.set(port, target);
    // Ports out here are given out again in time; the door inside stays.
    if (known) return;
    const socketPath = path.join(this.#folder, `${port}.sock`);
    const server = net.createServer({ allowHalfOpen: true }, (near) => {
      const far = net.connect({ ...(this.#targets.get(port) ?? target)(), allowHalfOpen: true, noDelay: true });
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket));
      }
      relay(near, far);
    });
    this.#servers.push(server);
    server.listen(socketPath);
    await once(server, 'listening');
    const answered = once(this.#bridge, 'message');
    this.#bridge.send({ port, socketPath });
    const [answer]: { error?: string }[] = await answered;
    if (answer?.error !== undefined) throw new Error(answer.error);
  }

  /** What is to be started so that a program runs inside. */
  inside(command: string, args: readonly string[]): { readonly command: string; readonly args: readonly string[] } {
    const into = ['--preserve-credentials', '-U', '-n', '-t', String(this.#bridge.pid)];
    return { command: 'nsenter', args: [...into, command, ...args] };
  }

  /** A program inside; its pid is its own, so that signals reach it. */
  spawn(command: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
    const inside = this.inside(command, args);
    return spawn(inside.command, inside.args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  }

  async close(): Promise<void> {
    const ended = once(this.#bridge, 'exit');
    this.#bridge.disconnect();
    await ended;
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
    await rm(this.#folder, { recursive: true, force: true });
  }
}
