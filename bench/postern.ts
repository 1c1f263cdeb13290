/**
 * The platform under measurement, as users start it: `postern server` and two plain agents (`postern http`), each a
 * process of its own, and a cloud endpoint that answers by itself.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { mainOf, Platform, splitAddress } from '../test/support/platform.ts';
import { Child, type Measured } from './children.ts';
import type { LoadTarget } from './load.ts';

const LIVE_MS = 15_000;

export interface Postern {
  readonly cloud: LoadTarget;
  readonly http: LoadTarget;
  readonly https: LoadTarget;
  /** The same as `http`, with the inspector on. */
  readonly inspected: LoadTarget;
  readonly server: Measured;
  readonly httpAgent: Measured;
  readonly httpsAgent: Measured;
  readonly inspectedAgent: Measured;
  stop(): Promise<void>;
}

export interface PosternOptions {
  readonly upstreamPort: number;
  /** Flags of Node for the processes, e.g. `--cpu-prof --cpu-prof-dir=…`. */
  readonly nodeFlags: readonly string[];
  /** The tree whose platform and agents run. */
  readonly root: string;
}

export async function startPostern(options: PosternOptions): Promise<Postern> {
  const nodeOptions = options.nodeFlags.length === 0 ? {} : { NODE_OPTIONS: options.nodeFlags.join(' ') };
  const platform = await Platform.start({ args: ['--log-level=warn'], env: nodeOptions, root: options.root });
  const agents: Child[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(agents.map((agent) => agent.stop()));
    await platform.dispose();
  };
  try {
    const target = (scheme: 'http' | 'https', name: string): LoadTarget => {
      const [host, port] = splitAddress(scheme === 'https' ? platform.runtime.https_addr : platform.runtime.http_addr);
      return { host, port, path: '/', hostHeader: `${name}.${platform.baseDomain}`, tls: scheme === 'https' };
    };
    const agent = (shared: LoadTarget, inspected: boolean): Child => {
      const child = startAgent(platform, urlOf(shared), options, nodeOptions, inspected);
      agents.push(child);
      return child;
    };
    const cloud = target('http', 'bench-cloud');
    await createCloudEndpoint(platform, urlOf(cloud));
    const http = target('http', 'bench-http');
    const https = target('https', 'bench-https');
    const inspected = target('http', 'bench-inspected');
    const [httpAgent, httpsAgent, inspectedAgent] = [agent(http, false), agent(https, false), agent(inspected, true)];
    await Promise.all([cloud, http, https, inspected].map((one) => waitUntilLive(platform, one)));
    return {
      cloud,
      http,
      https,
      inspected,
      server: { label: 'postern server', pids: [platform.runtime.pid] },
      httpAgent: { label: 'postern agent', pids: [httpAgent.pid] },
      httpsAgent: { label: 'postern agent', pids: [httpsAgent.pid] },
      inspectedAgent: { label: 'postern agent', pids: [inspectedAgent.pid] },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function urlOf(target: LoadTarget): string {
  return `${target.tls ? 'https' : 'http'}://${target.hostHeader}`;
}

/** The agent finds the server and its credentials as any user's would: by the pointer in the (here private) home. */
function startAgent(
  platform: Platform,
  url: string,
  { root, upstreamPort }: PosternOptions,
  env: Record<string, string>,
  inspected: boolean,
): Child {
  const args = [mainOf(root), 'http', `http://127.0.0.1:${upstreamPort}`, '--url', url, '--log-format', 'json'];
  // Trees from before the inspector know no flag for it.
  if (existsSync(path.join(root, 'packages', 'inspector')))
    args.push(...(inspected ? ['--web-addr=127.0.0.1:0'] : ['--inspect=false', '--web-addr=false']));
  const home = { HOME: platform.dataDir, XDG_CONFIG_HOME: platform.dataDir };
  return new Child(process.execPath, args, false, { ...process.env, ...home, ...env });
}

async function createCloudEndpoint(platform: Platform, url: string): Promise<void> {
  const policy = {
    on_http_request: [{ actions: [{ type: 'custom-response', config: { status_code: 200, body: 'hello\n' } }] }],
  };
  const answer = await platform.api('POST', '/endpoints', {
    type: 'cloud',
    url,
    bindings: ['public'],
    traffic_policy: JSON.stringify(policy),
  });
  if (answer.status !== 201) throw new Error(`the cloud endpoint was not created: ${answer.text}`);
}

async function waitUntilLive(platform: Platform, target: LoadTarget): Promise<void> {
  const url = `${urlOf(target)}${target.path}`;
  let seen = '';
  for (let waited = 0; waited < LIVE_MS; waited += 50) {
    const visit = await platform.visit(url).catch((error: unknown) => ({ status: 0, text: String(error) }));
    if (visit.status === 200) return;
    seen = `${visit.status} ${visit.text}`;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} is not live: ${seen}\n${platform.output}`);
}
