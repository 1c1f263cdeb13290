/**
 * Four times the load that the server carries: what of its best it still answers in time, how fast it refuses the rest,
 * and what an API call waits for meanwhile.
 */
import os from 'node:os';
import { DEAR_KEY, selfSigned } from '../../test/support/certificates.ts';
import { repositoryRoot } from '../../test/support/platform.ts';
import { Child, cpuSeconds } from '../children.ts';
import { load, type LoadTarget } from '../load.ts';
import { Postern, type Shared } from '../postern.ts';
import type { Stage } from '../stage.ts';
import { BROWSER, TEN_RULES } from '../variants/rules.ts';
import type { Figure, Scenario } from './scenario.ts';

export interface OverloadOrder extends LoadTarget {
  readonly perSecond: number;
  /** Of load that is not counted yet, and that is. */
  readonly leadSeconds: number;
  readonly seconds: number;
  readonly deadlineMs: number;
}

interface Group {
  readonly count: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

export interface OverloadResult {
  readonly seconds: number;
  readonly offered: number;
  /** More than the generator could hold. */
  readonly unsent: number;
  /** Neither served nor refused within the deadline. */
  readonly late: number;
  readonly broken: number;
  /** Of the generator's own loop, which all its times include: p99, milliseconds. */
  readonly ownDelay: number;
  /** Answered 200 in time. */
  readonly served: Group;
  /** By 503, or before TLS by an end of the connection. */
  readonly refused: Group;
}

const TIMES = 4;
const CLOSED_LOOP = 32;
/** Twice the patience of a server with its defaults. */
const LEAD_SECONDS = 4;
const SECONDS = 6;
/** Who waits longer has gone elsewhere. */
const DEADLINE_MS = 1_000;
const PROBE_EVERY_MS = 50;

export const OVERLOAD: readonly Scenario[] = [
  {
    id: 'overload-http',
    group: 'overload',
    title: 'four times the load, a connection for each request, many rules',
    run: (stage) => overload(stage, 'http', ruled),
  },
  {
    id: 'overload-https',
    group: 'overload',
    title: 'four times the load, a TLS handshake (RSA, 4,096 bits) for each request',
    run: (stage) => overload(stage, 'https', dear),
  },
];

// Dear visits, so that the server, and not the generator of so many connections, is what gives way.

const RULES = Array.from({ length: 24 }, () => TEN_RULES).flat();

const ruled = (postern: Postern): Promise<Shared> => postern.cloud('bench-ruled', RULES);

async function dear(postern: Postern): Promise<Shared> {
  const { hostHeader } = postern.target('https', 'bench-dear');
  const { cert, key } = await selfSigned(hostHeader, 1, DEAR_KEY);
  const config = { server_certificate: cert.toString(), server_private_key: key.toString() };
  const policy = { on_tcp_connect: [{ actions: [{ type: 'terminate-tls', config }] }] };
  return postern.share({ name: 'bench-dear', scheme: 'https', policy, unverified: true });
}

async function overload(
  stage: Stage,
  scheme: string,
  share: (postern: Postern) => Promise<Shared>,
): Promise<readonly Figure[]> {
  const postern = await stage.once(
    'overload',
    async () => Postern.start({ upstreamPort: await stage.upstream(), nodeFlags: [], root: repositoryRoot }),
    (started) => started.stop(),
  );
  const { target } = await share(postern);
  const calm = { ...target, headers: BROWSER, by: 'cold', connections: CLOSED_LOOP } as const;
  await load({ ...calm, seconds: 2 }, null, () => {});
  const before = cpuSeconds(postern.server);
  const best = await load({ ...calm, seconds: SECONDS }, null, () => {});
  const bestCpu = cpuSeconds(postern.server) - before;
  const bestRate = best.requests / best.seconds;
  const probe = probing(() => postern.platform.api('GET', '/endpoints?limit=1'));
  const order: OverloadOrder = {
    ...target,
    headers: BROWSER,
    perSecond: Math.round(bestRate * TIMES),
    leadSeconds: LEAD_SECONDS,
    seconds: SECONDS,
    deadlineMs: DEADLINE_MS,
  };
  const [flood, floodCpu] = await pour(order, () => cpuSeconds(postern.server));
  const waits = await probe();
  const after = await load({ ...calm, seconds: 1 }, null, () => {});
  const figure = (text: string, value: number, unit: string, aim: number | null = null, atLeast = false): Figure => ({
    text: `overload, ${scheme}: ${text}`,
    value,
    unit,
    aim,
    atLeast,
  });
  return [
    figure('visits per second at its best', bestRate, '/s'),
    figure('visits offered per second', flood.offered / flood.seconds, '/s'),
    figure('answered in time ÷ best', flood.served.count / flood.seconds / bestRate, ''),
    figure(
      'answered in time per CPU second of the server ÷ best',
      flood.served.count / floodCpu / (best.requests / bestCpu),
      '',
      0.9,
      true,
    ),
    figure('p99 of those answered', flood.served.p99, 'ms'),
    figure('refused', flood.refused.count / flood.offered, ''),
    figure('p50 until refused', flood.refused.p50, 'ms'),
    figure('p99 until refused', flood.refused.p99, 'ms'),
    figure('neither answered nor refused in a second', flood.late / flood.offered, ''),
    figure('broken', flood.broken, ''),
    figure('more than the generator could hold', flood.unsent, ''),
    figure("p99 of the generator's own delay", flood.ownDelay, 'ms'),
    figure('API call meanwhile, p50', waits.p50, 'ms'),
    figure('API call meanwhile, p99', waits.p99, 'ms'),
    figure('visits per second right afterwards ÷ best', after.requests / after.seconds / bestRate, ''),
  ];
}

/** @param cpu seconds of the server so far @returns what came of it, and what it cost the server while it was counted */
async function pour(order: OverloadOrder, cpu: () => number): Promise<[result: OverloadResult, seconds: number]> {
  const child = Child.part('generator-overload', JSON.stringify(order), true);
  favour(child);
  const patience = (order.leadSeconds + order.seconds) * 1_000 + 30_000;
  try {
    await child.line();
    child.say('go');
    await child.lineWith('counting', patience);
    const before = cpu();
    await child.lineWith('ended', patience);
    const seconds = cpu() - before;
    const result: OverloadResult = JSON.parse(await child.line(patience));
    return [result, seconds];
  } finally {
    await child.stop();
  }
}

/** It must not be what gives way; only some may say so. */
function favour({ pid }: Child): void {
  try {
    os.setPriority(pid, -10);
  } catch {
    // Then it competes as all others do, and tells how late it was.
  }
}

/** Calls again and again until it is asked for what they took, in milliseconds. */
function probing(call: () => Promise<{ readonly status: number }>): () => Promise<Omit<Group, 'count'>> {
  const times: number[] = [];
  const over = new AbortController();
  const all = (async (): Promise<void> => {
    while (!over.signal.aborted) {
      const from = performance.now();
      const { status } = await call();
      if (status !== 200) throw new Error(`the API answered ${status}`);
      times.push(performance.now() - from);
      await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
    }
  })();
  return async () => {
    over.abort();
    await all;
    times.sort((a, b) => a - b);
    const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN;
    return { p50: at(0.5), p99: at(0.99) };
  };
}
