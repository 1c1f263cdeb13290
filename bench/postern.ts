/**
 * The platform under measurement, as users start it: `postern server`, and agents (`postern http|tcp|tls`) and cloud
 * endpoints as they are asked for, each agent a process of its own.
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { mainOf, Platform, splitAddress } from '../test/support/platform.ts';
import { until } from '../test/support/until.ts';
import { Child, type Measured } from './children.ts';
import type { LoadTarget } from './load.ts';

const LIVE_MS = 30_000;

export interface PosternOptions {
  readonly upstreamPort: number;
  /** Flags of Node for the processes, e.g. `--cpu-prof --cpu-prof-dir=…`. */
  readonly nodeFlags: readonly string[];
  /** The tree whose platform and agents run. */
  readonly root: string;
  /** With what is in it; by default an empty one, which goes with the platform. */
  readonly dataDir?: string;
  /** Further flags of the server. */
  readonly args?: readonly string[];
}

/** What an endpoint of an agent is. */
export interface Share {
  /** Of its host, unique in the platform. */
  readonly name: string;
  readonly scheme: 'http' | 'https' | 'tcp' | 'tls';
  readonly inspected?: boolean;
  /** Connections of the agent; 1 when it is not said. */
  readonly sessions?: number;
  /** A traffic policy. */
  readonly policy?: object;
  /** It has a certificate of its own, which is not looked at. */
  readonly unverified?: boolean;
}

/** Where an endpoint is, and what a request to it crosses. */
export interface Shared {
  readonly target: LoadTarget;
  /** Server, then agent. */
  readonly measured: readonly Measured[];
}

export const HELLO_RULE = { actions: [{ type: 'custom-response', config: { status_code: 200, body: 'hello\n' } }] };

export class Postern {
  readonly platform: Platform;
  readonly server: Measured;
  readonly #options: PosternOptions;
  readonly #env: Record<string, string>;
  readonly #agents: Child[] = [];
  readonly #shared = new Map<string, Promise<Shared>>();
  #tcpPorts = 0;

  private constructor(platform: Platform, options: PosternOptions, env: Record<string, string>) {
    this.platform = platform;
    this.server = { label: 'postern server', pids: [platform.runtime.pid] };
    this.#options = options;
    this.#env = env;
  }

  static async start(options: PosternOptions): Promise<Postern> {
    const env = options.nodeFlags.length === 0 ? {} : { NODE_OPTIONS: options.nodeFlags.join(' ') };
    const platform = await Platform.start({
      args: ['--log-level=warn', ...(options.args ?? [])],
      env,
      root: options.root,
      ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
    });
    return new Postern(platform, options, env);
  }

  /** An endpoint that answers by itself behind `rules`. */
  cloud(name: string, rules: readonly object[] = []): Promise<Shared> {
    return this.#once(name, async () => {
      const target = this.target('http', name);
      const answer = await this.platform.api('POST', '/endpoints', {
        type: 'cloud',
        url: urlOf('http', target),
        bindings: ['public'],
        traffic_policy: JSON.stringify({ on_http_request: [...rules, HELLO_RULE] }),
      });
      if (answer.status !== 201) throw new Error(`the cloud endpoint was not created: ${answer.text}`);
      await this.#live(urlOf('http', target));
      return { target, measured: [this.server] };
    });
  }

  /** An endpoint of an agent that is started for it; the same one when it is asked for again. */
  share(share: Share): Promise<Shared> {
    return this.#once(share.name, () => this.#start(share));
  }

  /** Where visitors of a host under the base domain go. */
  target(scheme: 'http' | 'https', name: string): LoadTarget {
    const [host, port] = splitAddress(
      scheme === 'https' ? this.platform.runtime.https_addr : this.platform.runtime.http_addr,
    );
    const hostHeader = `${name}.${this.platform.baseDomain}`;
    return { host, port, path: '/', hostHeader, tls: scheme === 'https' };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.stop()));
    await this.platform.dispose();
  }

  #once(name: string, make: () => Promise<Shared>): Promise<Shared> {
    let made = this.#shared.get(name);
    if (made === undefined) this.#shared.set(name, (made = make()));
    return made;
  }

  async #start({ name, scheme, inspected = false, policy, unverified = false, sessions }: Share): Promise<Shared> {
    const target = scheme === 'tcp' ? this.#tcpTarget() : this.target(scheme === 'http' ? 'http' : 'https', name);
    const url = scheme === 'tcp' ? `tcp://localhost:${target.port}` : urlOf(scheme, target);
    const { upstreamPort } = this.#options;
    const service =
      scheme === 'tcp' || scheme === 'tls' ? `127.0.0.1:${upstreamPort}` : `http://127.0.0.1:${upstreamPort}`;
    const args = [scheme === 'https' ? 'http' : scheme, service, '--url', url, ...this.#inspector(inspected, scheme)];
    if (sessions !== undefined) args.push('--sessions', String(sessions));
    if (policy !== undefined) {
      const file = path.join(this.platform.dataDir, `${name}.policy.json`);
      await writeFile(file, JSON.stringify(policy));
      args.push('--traffic-policy-file', file);
    }
    const agent = this.#agent(args);
    if ((scheme === 'http' || scheme === 'https') && !unverified) await this.#live(url);
    else await agent.lineWith('url');
    return { target, measured: [this.server, { label: 'postern agent', pids: [agent.pid] }] };
  }

  #tcpTarget(): LoadTarget {
    const port = Number(this.platform.runtime.tcp_ports.split('-')[0]) + this.#tcpPorts++;
    return { host: '127.0.0.1', port, path: '/', hostHeader: 'localhost', tls: false };
  }

  /** It finds the server and its credentials as any user's would: by the pointer in the (here private) home. */
  #agent(args: readonly string[]): Child {
    const { dataDir } = this.platform;
    const home = { HOME: dataDir, XDG_CONFIG_HOME: dataDir };
    const all = [mainOf(this.#options.root), ...args, '--log-format', 'json'];
    const agent = new Child(process.execPath, all, false, { ...process.env, ...home, ...this.#env });
    this.#agents.push(agent);
    return agent;
  }

  /** Trees from before the inspector know no flag for it, and only what speaks HTTP has one. */
  #inspector(on: boolean, scheme: Share['scheme']): readonly string[] {
    if (!existsSync(path.join(this.#options.root, 'packages', 'inspector'))) return [];
    if (scheme === 'tcp' || scheme === 'tls') return ['--web-addr=false'];
    return on ? ['--web-addr=127.0.0.1:0'] : ['--inspect=false', '--web-addr=false'];
  }

  async #live(url: string): Promise<void> {
    let seen = '';
    await until(async () => {
      const visit = await this.platform
        .visit(`${url}/`)
        .catch((error: unknown) => ({ status: 0, text: String(error) }));
      seen = `${visit.status} ${visit.text}`;
      return visit.status === 200 ? true : null;
    }, LIVE_MS).catch(() => {
      throw new Error(`${url} is not live: ${seen}\n${this.platform.output}`);
    });
  }
}

function urlOf(scheme: string, target: LoadTarget): string {
  return `${scheme}://${target.hostHeader}`;
}
