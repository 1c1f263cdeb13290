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
  /** URL of the listener, as the SDK printed it. */
  readonly url: string;
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
}

/** An SDK agent in a process of its own, for tests that kill it. Rejects with what it printed when it cannot bind. */
export async function sdkProcess(platform: Platform, options: SdkProcessOptions): Promise<SdkProcess> {
  const child = spawn(process.execPath, [path.join(repositoryRoot, 'test', 'support', 'sdk-agent.mjs')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      SDK_AGENT: JSON.stringify({
        ...options,
        address: agentAddress(platform),
        ca: platform.ca,
        authtoken: platform.authtoken,
      }),
    },
  });
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const keep = (chunk: Buffer): void => {
      output += chunk.toString();
      const found = /^url=(\S+)$/m.exec(output)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('exit', () => reject(new Error(output)));
  });
  return {
    child,
    url,
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
