/** The official SDK in a process of its own, as one of the agents under test. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { type Platform, repositoryRoot } from '../platform.ts';
import type { RunningAgent, Wish } from './agent.ts';
import { watchProcess } from './watch-process.ts';

export async function startSdkAgent(platform: Platform, serverPort: number, wish: Wish): Promise<RunningAgent> {
  const child = spawn(process.execPath, [path.join(repositoryRoot, 'test', 'support', 'sdk-agent.mjs')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      SDK_AGENT: JSON.stringify({
        address: `localhost:${serverPort}`,
        ca: platform.ca,
        authtoken: wish.authtoken ?? platform.authtoken,
        proto: wish.proto,
        schemes: wish.schemes,
        domain: wish.hostname,
        remoteAddr: wish.remoteAddr,
        auth: wish.auth,
        hostHeader: wish.hostHeader,
        upstream: `${wish.proto}://127.0.0.1:${wish.upstreamPort}`,
      }),
    },
  });
  return watchProcess(child, /^url=(\S+)$/gm, wish.proto === 'tcp' ? 1 : (wish.schemes ?? ['https']).length);
}
