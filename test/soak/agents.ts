/** Agents as processes that are killed, stopped and started again, each behind a wire of its own. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import type { ListenOptions } from '@postern/agent';
import { AgentFailed, type RunningAgent } from '../support/agents/agent.ts';
import { watchProcess } from '../support/agents/watch-process.ts';
import { type Platform, repositoryRoot, splitAddress } from '../support/platform.ts';
import { Wire } from '../support/wire.ts';
import type { OwnAgentOptions } from './own-agent.ts';

export interface AgentPlan {
  readonly name: string;
  readonly kind: 'sdk' | 'own';
  /** own: any number. sdk: one, and a second of the other scheme when `bothSchemes`. */
  readonly listeners: readonly (ListenOptions & { readonly url: string; readonly upstream: string })[];
  readonly bothSchemes?: boolean;
}

const RETRY_MS = 200;

export class AgentProcess {
  readonly plan: AgentPlan;
  readonly wire: Wire;
  /** A fault has it in hand. */
  busy = false;
  /** Refusals of a name that was its own. */
  readonly refusals: string[] = [];
  readonly #platform: () => Platform;
  #running: RunningAgent | null = null;
  #starting: Promise<void> = Promise.resolve();
  #over = false;

  private constructor(plan: AgentPlan, wire: Wire, platform: () => Platform) {
    this.plan = plan;
    this.wire = wire;
    this.#platform = platform;
  }

  static async create(plan: AgentPlan, platform: () => Platform): Promise<AgentProcess> {
    const wire = await Wire.to(() => {
      const [host, port] = splitAddress(platform().runtime.agent_addr);
      return { host, port };
    });
    const agent = new AgentProcess(plan, wire, platform);
    await agent.start();
    return agent;
  }

  /** Resolves when it is online with everything; tries until then. */
  start(): Promise<void> {
    this.#starting = this.#startUntilOnline();
    return this.#starting;
  }

  async #startUntilOnline(): Promise<void> {
    while (!this.#over) {
      try {
        this.#running = await this.#spawn();
        return;
      } catch (error) {
        if (!(error instanceof AgentFailed)) throw error;
        // No server there, or the wire was cut meanwhile: an agent's user would run it again.
        if (error.ended.output.includes('ERR_NGROK_')) this.refusals.push(`${this.plan.name}: ${error.ended.output}`);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** kill -9, some time without it, and a new process. */
  async restart(pauseMs: number): Promise<void> {
    await this.kill();
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    await this.start();
  }

  async kill(): Promise<void> {
    this.#running?.kill('SIGKILL');
    await this.#running?.ended;
    this.#running = null;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#running?.kill(signal);
  }

  async close(): Promise<void> {
    this.#over = true;
    await this.kill();
    await this.#starting;
    await this.kill();
    await this.wire.close();
  }

  #spawn(): Promise<RunningAgent> {
    return this.plan.kind === 'sdk' ? this.#spawnSdk() : this.#spawnOwn();
  }

  #spawnSdk(): Promise<RunningAgent> {
    const { ca, authtoken } = this.#platform();
    const [listener] = this.plan.listeners;
    if (listener === undefined) throw new Error(`${this.plan.name} has nothing to listen for`);
    const { protocol, hostname, host } = new URL(listener.url);
    const schemes = this.plan.bothSchemes === true ? ['https', 'http'] : ['https'];
    const options = {
      address: `localhost:${this.wire.port}`,
      ca,
      authtoken,
      upstream: listener.upstream,
      pooling: listener.poolingEnabled,
      metadata: this.plan.name,
      heartbeatSeconds: 1,
      toleranceSeconds: 2,
      ...(protocol === 'tcp:' ? { proto: 'tcp', remoteAddr: host } : { domain: hostname, schemes }),
    };
    const script = path.join(repositoryRoot, 'test', 'support', 'sdk-agent.mjs');
    return run(script, { SDK_AGENT: JSON.stringify(options) }, protocol === 'tcp:' ? 1 : schemes.length);
  }

  #spawnOwn(): Promise<RunningAgent> {
    const { ca, authtoken } = this.#platform();
    const options: OwnAgentOptions = {
      serverAddr: `127.0.0.1:${this.wire.port}`,
      ca,
      authtoken,
      listeners: this.plan.listeners.map((listener) => ({ ...listener, metadata: this.plan.name })),
    };
    const script = path.join(repositoryRoot, 'test', 'soak', 'own-agent.ts');
    return run(script, { OWN_AGENT: JSON.stringify(options) }, options.listeners.length);
  }
}

function run(script: string, env: NodeJS.ProcessEnv, urls: number): Promise<RunningAgent> {
  const child = spawn(process.execPath, [script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  return watchProcess(child, /^url=(\S+)$/gm, urls);
}
