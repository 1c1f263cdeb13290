/** The unmodified official SDK from npm, pointed at a platform under test. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import ngrok from '@ngrok/ngrok';
import { type Platform, repositoryRoot, splitAddress } from './platform.ts';

/** `localhost:<port>` of the agent listener: the SDK takes no IPv6 literal and sends no SNI for an address. */
export function agentAddress(platform: Platform): string {
  return `localhost:${splitAddress(platform.runtime.agent_addr)[1]}`;
}

/** A session builder with address, CA and token set. */
export function sessionBuilder(platform: Platform): ngrok.SessionBuilder {
  return new ngrok.SessionBuilder()
    .authtoken(platform.authtoken)
    .serverAddr(agentAddress(platform))
    .caCert(Buffer.from(platform.ca));
}

export interface SdkProcess {
  readonly child: ChildProcess;
  /** URLs of the listeners, as the SDK printed them; `url` is the first. */
  readonly urls: readonly string[];
  readonly url: string;
  /** What it printed so far. */
  readonly output: () => string;
  /** Sends a signal and waits for the end when it is one that ends. */
  kill(signal: NodeJS.Signals): Promise<void>;
}

export interface SdkProcessOptions {
  readonly upstream: string;
  readonly domain?: string;
  readonly proto?: 'http' | 'tcp';
  readonly heartbeatSeconds?: number;
  readonly toleranceSeconds?: number;
  readonly pooling?: boolean;
  /** http only: one endpoint for each; https by default. */
  readonly schemes?: readonly ('http' | 'https')[];
  readonly remoteAddr?: string;
  /** `user:password` */
  readonly auth?: string;
  /** What the upstream shall see as Host. */
  readonly hostHeader?: string;
  readonly binding?: 'internal';
  /** `host:port` to dial instead of the platform's agent listener: a wire's. */
  readonly address?: string;
  readonly authtoken?: string;
}

/** An SDK agent in a process of its own, for tests that kill it. Rejects with what it printed when it cannot bind. */
export async function sdkProcess(platform: Platform, options: SdkProcessOptions): Promise<SdkProcess> {
  const child = spawn(process.execPath, [path.join(repositoryRoot, 'test', 'support', 'sdk-agent.mjs')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      SDK_AGENT: JSON.stringify({
        address: agentAddress(platform),
        ca: platform.ca,
        authtoken: platform.authtoken,
        ...options,
      }),
    },
  });
  let output = '';
  const wanted = options.schemes?.length ?? 1;
  const urls = await new Promise<string[]>((resolve, reject) => {
    const keep = (chunk: Buffer): void => {
      output += chunk.toString();
      const found = [...output.matchAll(/^url=(\S+)$/gm)].map((match) => match[1] ?? '');
      if (found.length === wanted) resolve(found);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('close', (code) => reject(Object.assign(new Error(output), { code })));
  });
  return {
    child,
    urls,
    url: urls[0] ?? '',
    output: () => output,
    kill: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended =
        signal === 'SIGSTOP' || signal === 'SIGCONT'
          ? Promise.resolve()
          : new Promise((resolve) => child.once('exit', resolve));
      child.kill(signal);
      await ended;
    },
  };
}
