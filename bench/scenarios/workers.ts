/**
 * What several workers cost, and what they carry: the same load on servers with none, one and two, turn by turn. Their
 * rates are compared with each worker held back to a share of a core, so that it is the workers that give way, and load
 * generators, agents and services have what they need, on a machine of two cores as well.
 */
import { repositoryRoot } from '../../test/support/platform.ts';
import { childrenOf, cpuSeconds, findCommand, type Measured } from '../children.ts';
import { holdBack } from '../control-groups.ts';
import { load, type LoadTarget } from '../load.ts';
import { median } from '../measure.ts';
import { Postern, type Share, type Shared } from '../postern.ts';
import type { Stage } from '../stage.ts';
import type { Figure, Scenario } from './scenario.ts';

const COUNTS = [0, 1, 2] as const;
const SHARE = 0.2;
/** Requests of a worker until its compilers have little left to do: each has its own, which costs once and not each time. */
const WARM = 100_000;
const MOST_LOADS = 20;

type Count = (typeof COUNTS)[number];
type Agent = Pick<Share, 'name' | 'sessions' | 'scheme'>;

interface Server {
  readonly postern: Postern;
  /** Server and workers. */
  readonly processes: Measured;
  readonly workers: readonly number[];
}

interface Round {
  readonly requests: number;
  readonly perSecond: number;
  /** Microseconds of server and agents for each request. */
  readonly cpu: number;
}

const one = (scheme: Share['scheme']): readonly Agent[] => [{ name: `bench-${scheme}`, scheme }];
const twice = (scheme: Share['scheme']): readonly Agent[] => [{ name: `bench-${scheme}-twice`, scheme, sessions: 2 }];
const FOUR: readonly Agent[] = [1, 2, 3, 4].map((number) => ({ name: `bench-agent-${number}`, scheme: 'http' }));

const COSTS: readonly (readonly [id: string, what: string, agents: readonly Agent[]])[] = [
  ['workers-http', 'http, one agent', one('http')],
  ['workers-https', 'https, one agent', one('https')],
  ['workers-tcp', 'tcp, one agent', one('tcp')],
  ['workers-agents', 'http, four agents', FOUR],
  ['workers-sessions', 'https, one agent with two sessions', twice('https')],
];

export const WORKERS: readonly Scenario[] = [
  ...COSTS.map(([id, what, agents]): Scenario => ({
    id,
    group: 'workers',
    title: `${what}: CPU with two workers, one and none`,
    run: (stage) => costs(stage, what, agents),
  })),
  {
    id: 'workers-rate',
    group: 'workers',
    title: `requests a second of two workers and one, each with ${SHARE} of a core`,
    run: async (stage) => [
      ...(await rates(stage, 'four agents', FOUR, 1.7)),
      ...(await rates(stage, 'one agent with two sessions', twice('http'), 1.7)),
      ...(await rates(stage, 'one agent', one('http'), null)),
    ],
  },
];

async function costs(stage: Stage, what: string, agents: readonly Agent[]): Promise<readonly Figure[]> {
  await warm(stage, agents, COUNTS);
  const rounds = await measure(stage, agents, COUNTS);
  const cpu = (count: Count): readonly number[] => (rounds.get(count) ?? []).map((round) => round.cpu);
  return [
    ...COUNTS.map((count) => figure(`${what}: CPU, workers: ${count}`, median(cpu(count)), 'µs')),
    figure(`${what}: CPU with one worker ÷ none`, ratio(cpu(1), cpu(0)), ''),
    { ...figure(`${what}: CPU with two workers ÷ one`, ratio(cpu(2), cpu(1)), ''), aim: 1.1 },
  ];
}

async function rates(
  stage: Stage,
  what: string,
  agents: readonly Agent[],
  aim: number | null,
): Promise<readonly Figure[]> {
  const counts = [1, 2] as const;
  const releases: (() => void)[] = [];
  try {
    // Agents come, and compilers are done, before anybody is held back.
    await warm(stage, agents, counts);
    for (const count of counts) releases.push(holdBack((await serverWith(stage, count)).workers, SHARE));
    const rounds = await measure(stage, agents, counts);
    const rate = (count: Count): readonly number[] => (rounds.get(count) ?? []).map((round) => round.perSecond);
    return [
      ...counts.map((count) => figure(`${what}: rate, workers: ${count}`, median(rate(count)), 'req/s')),
      { ...figure(`${what}: rate of two workers ÷ one`, ratio(rate(2), rate(1)), ''), aim, atLeast: true },
    ];
  } finally {
    for (const release of releases) release();
  }
}

/** Loads that are not counted. */
async function warm(stage: Stage, agents: readonly Agent[], counts: readonly Count[]): Promise<void> {
  for (const count of counts) {
    let requests = 0;
    for (let loads = 0; requests < WARM * Math.max(1, count) && loads < MOST_LOADS; loads++)
      requests += (await once(stage, agents, count)).requests;
  }
}

/** Rounds of one load each, there and back; one before them is not counted. */
async function measure(stage: Stage, agents: readonly Agent[], counts: readonly Count[]): Promise<Map<Count, Round[]>> {
  const rounds = new Map<Count, Round[]>(counts.map((count) => [count, []]));
  for (let round = 0; round <= stage.options.rounds; round++) {
    for (const count of round % 2 === 0 ? counts : counts.toReversed()) {
      const measured = await once(stage, agents, count);
      if (round > 0) rounds.get(count)?.push(measured);
    }
  }
  return rounds;
}

async function once(stage: Stage, agents: readonly Agent[], count: Count): Promise<Round> {
  const { postern, processes } = await serverWith(stage, count);
  const shared: readonly Shared[] = await Promise.all(agents.map((agent) => postern.share(agent)));
  const { connections, seconds } = stage.options;
  const wrk = findCommand('wrk');
  const behind = shared.flatMap(({ measured }) => measured.slice(1));
  const spent = (): number => [processes, ...behind].reduce((sum, part) => sum + cpuSeconds(part), 0);
  const each = Math.max(1, Math.floor(connections / shared.length));
  const visit = (target: LoadTarget): ReturnType<typeof load> =>
    load({ ...target, connections: each, seconds }, wrk, () => {});
  const before = spent();
  const results = await Promise.all(shared.map(({ target }) => visit(target)));
  const requests = results.reduce((sum, result) => sum + result.requests, 0);
  const perSecond = results.reduce((sum, result) => sum + result.requests / result.seconds, 0);
  return { requests, perSecond, cpu: ((spent() - before) / requests) * 1e6 };
}

function serverWith(stage: Stage, workers: Count): Promise<Server> {
  return stage.once(
    `workers-${workers}`,
    async () => {
      const args = [`--workers=${workers}`, '--arrival-timeout=0'];
      const upstreamPort = await stage.upstream();
      const postern = await Postern.start({ upstreamPort, nodeFlags: [], root: repositoryRoot, args });
      const { pid } = postern.platform.runtime;
      const pids = childrenOf(pid);
      return { postern, processes: { label: 'postern', pids: [pid, ...pids] }, workers: pids };
    },
    ({ postern }) => postern.stop(),
  );
}

function ratio(of: readonly number[], by: readonly number[]): number {
  return median(of.map((value, round) => value / (by[round] ?? Number.NaN)));
}

function figure(text: string, value: number, unit: string): Figure {
  return { text, value, unit, aim: null };
}
