/** A framework's own server behind `postern http`, and a visitor of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type http from 'node:http';
import tls from 'node:tls';
import { WebSocket } from 'ws';
import { freePort } from '@postern/edge/testing/free-port';
import { splitAddress, type Visit, type VisitOptions } from '../../support/platform.ts';
import { Tunnel } from '../../support/tunnel.ts';
import { until } from '../../support/until.ts';
import type { Command } from '../harness/program.ts';
import { openRequest, type World } from '../harness/world.ts';

/** Servers of development builds compile what is first asked for. */
const READY_MS = 180_000;
const KEPT_OUTPUT = 10_000;

export class Site {
  readonly host: string;
  readonly #world: World;
  readonly #server: ChildProcess;
  readonly #tunnel: Tunnel;
  #output = '';

  private constructor(world: World, server: ChildProcess, tunnel: Tunnel, host: string) {
    this.#world = world;
    this.#server = server;
    this.#tunnel = tunnel;
    this.host = host;
    for (const stream of [server.stdout, server.stderr])
      stream?.on('data', (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-KEPT_OUTPUT)));
  }

  /** @param command of the server, for the port and the public host that it is given */
  static async start(
    world: World,
    command: (port: number, host: string) => Command,
    ready: { readonly path: string; readonly status: number },
  ): Promise<Site> {
    const host = world.host();
    const port = await freePort();
    const { command: program, args = [], cwd, env = {} } = command(port, host);
    // Some start processes of their own: they end as one group.
    const server = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      cwd: cwd ?? world.platform.dataDir,
      env: { ...process.env, ...env },
    });
    const tunnel = Tunnel.beside(world.platform, ['http', String(port), `--url=https://${host}`]);
    const site = new Site(world, server, tunnel, host);
    try {
      await tunnel.url();
      await until(async () => {
        if (server.exitCode !== null) throw new Error('it has ended');
        return (await site.visit(ready.path)).status === ready.status;
      }, READY_MS);
      return site;
    } catch (error) {
      await site.stop();
      throw new Error(`${String(error)}\n${site.#output}`, { cause: error });
    }
  }

  get url(): string {
    return `https://${this.host}`;
  }

  /** What the agent printed for its user. */
  get said(): string {
    return this.#tunnel.stdout + this.#tunnel.stderr;
  }

  visit(path: string, options?: VisitOptions): Promise<Visit> {
    return this.#world.visit(`${this.url}${path}`, options);
  }

  /** A request whose answer is read as it comes. */
  async open(path: string, headers?: http.OutgoingHttpHeaders): Promise<Opened> {
    const opened = await openRequest(this.#world, `${this.url}${path}`, headers === undefined ? {} : { headers });
    opened.request.on('error', () => undefined);
    return opened;
  }

  /** A browser's WebSocket: with the page's origin. */
  async socket(path: string, protocols: readonly string[] = []): Promise<WebSocket> {
    const socket = this.#dial(path, protocols);
    await once(socket, 'open');
    return socket;
  }

  /**
   * What a server says that speaks first. It may come together with the answer to the handshake: then nobody hears it who
   * listens only when `socket` has answered.
   */
  async greeting(path: string): Promise<string> {
    const socket = this.#dial(path, []);
    const text = await messageOf(socket);
    socket.terminate();
    return text;
  }

  #dial(path: string, protocols: readonly string[]): WebSocket {
    const [host, port] = splitAddress(this.#world.platform.runtime.https_addr);
    const ca = this.#world.platform.ca;
    return new WebSocket(`wss://${this.host}${path}`, [...protocols], {
      origin: this.url,
      createConnection: () => tls.connect({ host, port, servername: this.host, ca }),
    });
  }

  async stop(): Promise<void> {
    this.#tunnel.child.kill('SIGTERM');
    await this.#tunnel.ended;
    const { pid } = this.#server;
    if (pid === undefined) return;
    const gone = this.#server.exitCode === null && this.#server.signalCode === null ? once(this.#server, 'exit') : null;
    signal(-pid, 'SIGTERM');
    const late = setTimeout(() => signal(-pid, 'SIGKILL'), 5_000);
    await gone;
    clearTimeout(late);
    signal(-pid, 'SIGKILL');
  }
}

export type Opened = Awaited<ReturnType<typeof openRequest>>;

function signal(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(group, name);
  } catch {
    // Nobody of it is left.
  }
}

/** Events of a stream by their data, as they come. */
export async function* eventsOf(opened: Opened): AsyncGenerator<string> {
  opened.request.end();
  let text = '';
  for await (const chunk of await opened.answer) {
    text += String(chunk);
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) yield /^data:\s?(.*)$/m.exec(event)?.[1] ?? '';
  }
}

/** The next message, as text. */
export async function messageOf(socket: WebSocket): Promise<string> {
  const [data] = (await once(socket, 'message')) as [Buffer];
  return data.toString();
}
