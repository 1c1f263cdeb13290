/**
 * What firewall rules cost at the start and in memory: the server with a hundred endpoints that have an OWASP policy each,
 * beside the same with policies without it. Both are started turn by turn, from data that is there before.
 * Usage: node scripts/node24.mjs bench/owasp.ts [--rounds 5]
 */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import { coreRuleSet } from '../test/support/core-rule-set.ts';
import { Platform } from '../test/support/platform.ts';
import { median } from './measure.ts';
import { readOptions } from './options.ts';
import { table } from './report.ts';

const ENDPOINTS = 100;
const REQUESTS = 1_300;
const AIM = { seconds: 2, mebibytes: 150 };
const ANSWER = { actions: [{ type: 'custom-response', config: { status_code: 200, body: 'hello\n' } }] };

interface Side {
  readonly title: string;
  readonly args: readonly string[];
  readonly rules: readonly object[];
}

interface Start {
  readonly seconds: number;
  /** Of CPU time, up to when it was ready. */
  readonly cpu: number;
  /** MiB, as soon as it was ready and behind requests to all endpoints. */
  readonly fresh: number;
  readonly used: number;
}

const { rounds } = readOptions(process.argv.slice(2));
const places = coreRuleSet();
if (typeof places === 'string') throw new Error(places);
const owasp = (type: string): object => ({ actions: [{ type, config: {} }] });
const SIDES: readonly [Side, Side] = [
  { title: 'without', args: [], rules: [] },
  { title: 'with', args: places.map((place) => `--owasp-crs=${place}`), rules: [owasp('owasp-crs-request')] },
];

function hostOf(platform: Platform, at: number): string {
  return `firewall${at}.${platform.baseDomain}`;
}

async function prepared({ args, rules }: Side): Promise<Platform> {
  const platform = await Platform.start({ args: [...args, '--log-level=warn', '--api-rate-limit=1000000'] });
  for (let at = 0; at < ENDPOINTS; at++) {
    // A text of its own each, as people have.
    const traffic_policy = JSON.stringify({ on_http_request: [...rules, { name: `endpoint ${at}`, ...ANSWER }] });
    // oxlint-disable-next-line no-await-in-loop -- a hundred one after the other, before anything is measured
    const made = await platform.api('POST', '/endpoints', {
      type: 'cloud',
      url: `http://${hostOf(platform, at)}`,
      traffic_policy,
    });
    if (made.status !== 201) throw new Error(made.text);
  }
  return platform;
}

function residentOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1_024;
}

/** User and system, in ticks of a hundredth of a second. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user = '', system = ''] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) / 100;
}

async function started(before: Platform, { args }: Side): Promise<{ platform: Platform; start: Start }> {
  const from = performance.now();
  const platform = await before.restart('SIGTERM', { args: [...args, '--log-level=warn'] });
  const seconds = (performance.now() - from) / 1_000;
  const { pid } = platform.runtime;
  const cpu = cpuOf(pid);
  const fresh = residentOf(pid);
  for (let at = 0; at < REQUESTS; at++) {
    // oxlint-disable-next-line no-await-in-loop -- one visitor
    const { status } = await platform.visit(`http://${hostOf(platform, at % ENDPOINTS)}/?a=b&c=${at}`);
    if (status !== 200) throw new Error(`an endpoint answers ${status}`);
  }
  return { platform, start: { seconds, cpu, fresh, used: residentOf(pid) } };
}

const platforms: Platform[] = [];
const starts: [Start[], Start[]] = [[], []];
try {
  for (const side of SIDES) platforms.push(await prepared(side));
  for (let round = 1; round <= rounds; round++) {
    process.stdout.write(`round ${round} of ${rounds}\n`);
    for (const [at, side] of SIDES.entries()) {
      const before = platforms[at];
      if (before === undefined) continue;
      const { platform, start } = await started(before, side);
      platforms[at] = platform;
      starts[at]?.push(start);
    }
  }
  const columns = ['seconds', 'cpu', 'fresh', 'used'] as const;
  const of = (side: 0 | 1, column: keyof Start): number => median(starts[side].map((one) => one[column]));
  const more = (column: keyof Start): number =>
    median(starts[1].map((one, round) => one[column] - (starts[0][round]?.[column] ?? Number.NaN)));
  const row = (title: string, value: (column: keyof Start) => number): string[] => [
    title,
    ...columns.map((column) => value(column).toFixed(column === 'seconds' || column === 'cpu' ? 2 : 0)),
  ];
  process.stdout.write(
    `\nNode ${process.versions.node}, load average ${os
      .loadavg()
      .map((one) => one.toFixed(1))
      .join(' ')}\n\n` +
      `${table(
        [`${ENDPOINTS} endpoints`, 'start s', 'CPU s', 'MiB', `MiB after ${REQUESTS} requests`],
        [
          row('without firewall rules', (column) => of(0, column)),
          row('with the Core Rule Set', (column) => of(1, column)),
          row('more (median of rounds)', more),
        ],
      )}\n\n` +
      `start: ${more('seconds') <= AIM.seconds ? 'met' : 'missed'} (${AIM.seconds} s more), ` +
      `memory: ${Math.max(more('fresh'), more('used')) <= AIM.mebibytes ? 'met' : 'missed'} (${AIM.mebibytes} MiB more)\n`,
  );
} finally {
  for (const platform of platforms) await platform.dispose();
}
