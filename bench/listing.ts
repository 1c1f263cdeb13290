/**
 * What a list costs when there is much to list: CPU of the thread that also serves traffic, for a page, for a filter
 * that matches nothing and for a URL that nobody has, with 100 and with many endpoints in one account; and for how long
 * that thread comes to nothing else meanwhile, with one caller and with many at once.
 * Usage: node scripts/node24.mjs bench/listing.ts [ENDPOINTS]
 */
import process from 'node:process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createApi } from '@postern/api';
import type { Write } from '@postern/store';
import { openPlatformless, QUIET } from './parts/control-alone.ts';

const FEW = 100;
const MANY = Number(process.argv[2] ?? 100_000);
const ROUNDS = 51;
/** Calls before any is measured, so that the first question does not pay for the compiler. */
const WARMING = 300;
const PAUSE_ROUNDS = 11;
const CALLERS = 32;

const QUESTIONS: readonly (readonly [string, string])[] = [
  ['a page of 100', '/endpoints?limit=100'],
  ['a filter that matches nothing', `/endpoints?filter=${encodeURIComponent('obj.url == "https://nobody.test"')}`],
  ['a URL that nobody has', '/endpoints?url=https://nobody.test'],
];

interface Cost {
  /** Median CPU of one call. */
  readonly cpu: number;
  /** The median of each round's longest turn of the event loop, and the longest of all. */
  readonly pause: string;
  /** The same with many callers at once. */
  readonly pauseOfMany: string;
}

/** What each question costs, in milliseconds. */
async function measure(count: number, warming = 0): Promise<Cost[]> {
  const platform = await openPlatformless(async (store, accountId, newId) => {
    const rows = Array.from({ length: count }, (_none, index): Write => {
      const host = `h${index}.example.test`;
      return store.endpoints.insert({
        id: newId(),
        accountId,
        createdAt: '2026-01-01T00:00:00Z',
        updatedAt: '2026-01-01T00:00:00Z',
        url: `https://${host}`,
        scheme: 'https',
        host,
        port: 443,
        binding: 'public',
        poolingEnabled: false,
        trafficPolicy: '{"on_http_request":[]}',
        description: '',
        metadata: '',
        domainId: '',
        tcpAddrId: '',
        principalId: '',
      });
    });
    while (rows.length > 0) await store.commit(rows.splice(0, 1_000));
  });
  const api = await createApi({
    control: platform.control.api,
    publicBaseUrl: () => 'http://127.0.0.1',
    version: '0',
    clock: { now: Date.now },
    operationId: () => 'op_0',
    rateLimit: { perMinute: 1e9 },
    log: QUIET,
  });
  const headers = { authorization: `Bearer ${platform.apiKey}`, 'ngrok-version': '2' };
  const costs: Cost[] = [];
  for (const [, url] of QUESTIONS) {
    const ask = (): Promise<unknown> => api.app.inject({ method: 'GET', url, headers });
    for (let call = 0; call < warming; call++) await ask();
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const before = process.threadCpuUsage();
      await ask();
      const { user, system } = process.threadCpuUsage(before);
      times.push((user + system) / 1_000);
    }
    // Each in a turn of its own, as calls arrive.
    const many = (): Promise<unknown> =>
      Promise.all(Array.from({ length: CALLERS }, (_none, turns) => inTurn(turns).then(ask)));
    costs.push({ cpu: median(times), pause: await pauseOf(ask), pauseOfMany: await pauseOf(many) });
  }
  await api.close();
  await platform.close();
  return costs;
}

/**
 * What anything else on this thread waits for while `work` runs: its CPU time from one turn to the next, which other
 * processes of the machine do not lengthen.
 */
async function pauseOf(work: () => Promise<unknown>): Promise<string> {
  const longest: number[] = [];
  for (let round = 0; round < PAUSE_ROUNDS; round++) {
    let worst = 0;
    let last = process.threadCpuUsage();
    let running = true;
    const turn = (): void => {
      const { user, system } = process.threadCpuUsage(last);
      worst = Math.max(worst, (user + system) / 1_000);
      last = process.threadCpuUsage();
      if (running) setImmediate(turn);
    };
    setImmediate(turn);
    await work();
    running = false;
    turn();
    longest.push(worst);
  }
  return `${median(longest).toFixed(1)} (${Math.max(...longest).toFixed(1)})`;
}

async function inTurn(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await nextTurn();
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;
}

await measure(FEW, WARMING);
const few = await measure(FEW);
const many = await measure(MANY);
process.stdout.write(`CPU milliseconds per call, median of ${ROUNDS}: ${FEW} endpoints, ${MANY} endpoints, ratio;\n`);
process.stdout.write(
  `longest turn of the event loop with ${MANY}, median (worst) of ${PAUSE_ROUNDS}: one caller, ${CALLERS} at once\n`,
);
for (const [index, [name]] of QUESTIONS.entries()) {
  const [a, b] = [few[index], many[index]];
  if (a === undefined || b === undefined) throw new Error(`${name} was not measured`);
  const cpu = `${a.cpu.toFixed(2)} ${b.cpu.toFixed(2)} ${(b.cpu / a.cpu).toFixed(1)}`;
  process.stdout.write(`${name.padEnd(32)} ${cpu.padEnd(20)} ${b.pause.padEnd(16)} ${b.pauseOfMany}\n`);
}
