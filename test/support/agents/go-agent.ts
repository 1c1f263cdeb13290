/** The old Go agent (v2.3) from npm, where it can reach nothing but what a test gives it. */
import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { LoopbackNamespace } from '../namespace/namespace.ts';
import { type Platform, repositoryRoot } from '../platform.ts';
import type { RunningAgent, Wish } from './agent.ts';
import { watchProcess } from './watch-process.ts';

const BINARY = path.join(repositoryRoot, 'node_modules', '@expo', 'ngrok-bin-linux-x64', 'ngrok');

/** Why it cannot run here, or ''. */
export function goAgentProblem(): string {
  return existsSync(BINARY) ? '' : 'npm has no such package for this system (@expo/ngrok-bin-linux-x64)';
}

/** `serverPort`: on the namespace's loopback. The configuration is that of its v2 files. */
export async function startGoAgent(
  namespace: LoopbackNamespace,
  platform: Platform,
  serverPort: number,
  wish: Wish,
): Promise<RunningAgent> {
  // In the platform's folder, which is removed with it.
  const home = await mkdtemp(path.join(platform.dataDir, 'go-agent-'));
  const config = path.join(home, 'ngrok.yml');
  await writeFile(config, configText(platform, serverPort, wish));
  const child = namespace.spawn(
    BINARY,
    ['start', '--all', '--config', config, '--log=stdout', '--log-format=logfmt', '--log-level=info'],
    { PATH: process.env['PATH'], HOME: home, SSL_CERT_FILE: platform.runtime.ca_path },
  );
  const count = wish.proto === 'tcp' ? 1 : schemesOf(wish).length;
  const agent = await watchProcess(child, /msg="started tunnel".* url=(\S+)/g, count);
  // It announces them in any order.
  return { ...agent, urls: agent.urls.toSorted((left, right) => schemeOf(right).localeCompare(schemeOf(left))) };
}

function schemesOf(wish: Wish): readonly string[] {
  return wish.schemes ?? ['https'];
}

function schemeOf(url: string): string {
  return url.slice(0, url.indexOf(':'));
}

function configText(platform: Platform, serverPort: number, wish: Wish): string {
  const schemes = schemesOf(wish);
  const tunnel: Record<string, string> = { proto: wish.proto, addr: `127.0.0.1:${wish.upstreamPort}` };
  if (wish.proto === 'http') tunnel['bind_tls'] = schemes.length === 2 ? 'both' : String(schemes[0] === 'https');
  if (wish.hostname !== undefined) tunnel['hostname'] = wish.hostname;
  if (wish.remoteAddr !== undefined) tunnel['remote_addr'] = wish.remoteAddr;
  if (wish.auth !== undefined) tunnel['auth'] = wish.auth;
  if (wish.hostHeader !== undefined) tunnel['host_header'] = 'rewrite';
  const lines = [
    `server_addr: localhost:${serverPort}`,
    'root_cas: host',
    `authtoken: ${wish.authtoken ?? platform.authtoken}`,
    'update: false',
    'console_ui: false',
    'web_addr: false',
    'tunnels:',
    '  under-test:',
    ...Object.entries(tunnel).map(([key, value]) => `    ${key}: "${value}"`),
  ];
  return `${lines.join('\n')}\n`;
}
