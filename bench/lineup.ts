/**
 * Everything that is measured, started once; the variants only differ in where the load goes and whose CPU time counts.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { repositoryRoot } from '../test/support/platform.ts';
import { Child, findCommand, type Measured } from './children.ts';
import type { LoadTarget } from './load.ts';
import { startNginx, type NginxPair } from './nginx.ts';
import type { BenchOptions } from './options.ts';
import { startPostern, type Postern } from './postern.ts';

export interface Variant {
  readonly id: string;
  readonly title: string;
  readonly target: LoadTarget;
  /** In the order in which the request crosses them. */
  readonly measured: readonly Measured[];
}

export interface Lineup {
  readonly variants: readonly Variant[];
  /** Where bulk bodies can be fetched from and sent to. */
  readonly bulk: readonly Variant[];
  /** One line per reference that is not installed. */
  readonly skipped: readonly string[];
  stop(): Promise<void>;
}

export async function startLineup(options: BenchOptions): Promise<Lineup> {
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-bench-'));
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.toReversed()) await end();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const upstream = Child.part('upstream', '');
    stops.push(() => upstream.stop());
    const upstreamPort = Number(await upstream.line());
    const proxy = Child.part('node-proxy', String(upstreamPort));
    stops.push(() => proxy.stop());
    const proxyPort = Number(await proxy.line());

    const skipped: string[] = [];
    const command = findCommand('nginx');
    if (command === null)
      skipped.push('nginx is not installed: nginx-answer, nginx-once, nginx-twice, nginx-twice-tls');
    const nginx = command === null ? null : await startNginx(command, path.join(folder, 'nginx'), upstreamPort);
    if (nginx !== null) stops.push(() => nginx.stop());

    if (options.profile !== '') await mkdir(options.profile, { recursive: true });
    const nodeFlags = options.profile === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(options.profile)}`];
    const wantsPostern = options.bulkMegabytes > 0 || options.only.length === 0 || options.only.some(isOurs);
    const postern = wantsPostern ? await startPostern({ upstreamPort, nodeFlags, root: repositoryRoot }) : null;
    if (postern !== null) stops.push(() => postern.stop());

    const all = variantsOf(upstreamPort, { label: 'node:http proxy', pids: [proxy.pid] }, proxyPort, nginx, postern);
    const unknown = options.only.filter((id) => !all.some((variant) => variant.id === id));
    if (unknown.length > 0 && skipped.length === 0) throw new Error(`--only: no variant ${unknown.join(', ')}`);
    const wanted = (variant: Variant): boolean => options.only.length === 0 || options.only.includes(variant.id);
    return { variants: all.filter(wanted), bulk: bulkOf(upstreamPort, nginx, postern), skipped, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Variants that need the platform; the others can be measured without it. */
function isOurs(id: string): boolean {
  return id === 'cloud' || id === 'http' || id === 'https' || id === 'inspected';
}

function reference(
  id: string,
  title: string,
  port: number,
  measured: readonly Measured[],
  tls: boolean = false,
): Variant {
  return { id, title, target: loopback(port, tls), measured };
}

function loopback(port: number, tls = false): LoadTarget {
  return { host: '127.0.0.1', port, path: '/', hostHeader: 'nginx.postern.localhost', tls };
}

function variantsOf(
  upstreamPort: number,
  proxy: Measured,
  proxyPort: number,
  nginx: NginxPair | null,
  postern: Postern | null,
): readonly Variant[] {
  const nginxVariants =
    nginx === null
      ? []
      : [
          reference('nginx-answer', 'nginx answers by itself', nginx.answerPort, [nginx.inner]),
          reference('nginx-once', 'nginx, one hop', nginx.oncePort, [nginx.inner]),
          reference('nginx-twice', 'nginx twice', nginx.twicePort, [nginx.outer, nginx.inner]),
          reference('nginx-twice-tls', 'nginx twice, https', nginx.twiceTlsPort, [nginx.outer, nginx.inner], true),
        ];
  return [
    reference('direct', 'the upstream itself', upstreamPort, []),
    ...nginxVariants,
    reference('node-proxy', 'node:http reverse proxy', proxyPort, [proxy]),
    ...(postern === null ? [] : oursOf(postern)),
  ];
}

function oursOf(postern: Postern): readonly Variant[] {
  const { cloud, http, https, inspected, server, httpAgent, httpsAgent, inspectedAgent } = postern;
  return [
    { id: 'cloud', title: 'Postern, cloud endpoint', target: cloud, measured: [server] },
    { id: 'http', title: 'Postern, http through an agent', target: http, measured: [server, httpAgent] },
    { id: 'https', title: 'Postern, https through an agent', target: https, measured: [server, httpsAgent] },
    { id: 'inspected', title: 'Postern, http, inspector on', target: inspected, measured: [server, inspectedAgent] },
  ];
}

function bulkOf(upstreamPort: number, nginx: NginxPair | null, postern: Postern | null): readonly Variant[] {
  if (postern === null) return [];
  const twice: readonly Variant[] =
    nginx === null
      ? []
      : [reference('nginx-twice', 'nginx twice, TLS between', nginx.twiceTlsBetweenPort, [nginx.outer, nginx.inner])];
  return [
    reference('direct', 'the upstream itself', upstreamPort, []),
    ...twice,
    {
      id: 'http',
      title: 'Postern, http through an agent',
      target: postern.http,
      measured: [postern.server, postern.httpAgent],
    },
  ];
}
