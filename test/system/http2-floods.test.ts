/** Floods of HTTP/2: the abuser loses its connection, another visitor notices nothing, memory stays where it was. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { type AgentSession, connectAgent } from '@postern/agent';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FloodOptions, FloodReport } from '../support/floods/flood.ts';
import { FLOODS } from '../support/floods/kinds.ts';
import { metric } from '../support/metrics.ts';
import { describePace, slowdown, type Times, visitAgain } from '../support/pace.ts';
import { Platform, repositoryRoot, splitAddress } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { httpUpstream, type Upstream } from '../support/upstream.ts';

const HOST = 'flooded.test';
/** How long a flood comes again and again. */
const FLOOD_MS = 1_500;
const MOST_MS = 9_000;
/** Who is ended sooner comes again until here. */
const RETRIES_MS = FLOOD_MS + 1_500;
/** Longer than that, so that it is not for idleness that a flood ends. */
const IDLE_SECONDS = 10;
/** Who does not read ends by being idle. */
const DEAF_MS = 20_000;
/** So many times longer may a visit take than one of a server without a flood; waiting for its end would be hundreds. */
const SLOWDOWN = 30;
/** What is kept of a flood adds up; what V8 lets its heaps grow to under load does not. */
const GROWTH_BYTES = 160 * 1024 * 1024;
/** Between two looks at memory and connections. */
const LOOK_EVERY_MS = 50;
/** Others are visited on for so long when the flood is over. */
const AFTERWARDS_MS = 200;
const LARGE = Buffer.alloc(4 * 1024 * 1024, 0x78);

let platform: Platform;
/** Nobody floods it: what the machine itself is busy with shows here, too. */
let control: Platform;
const agents: AgentSession[] = [];
let upstream: Upstream;

beforeAll(async () => {
  upstream = await httpUpstream((request, response) => {
    request.on('error', () => undefined);
    request.resume();
    if (request.url === '/hold') return;
    response.end(request.url === '/large' ? LARGE : 'ok');
  });
  const args = [`--idle-timeout=${IDLE_SECONDS}`];
  [platform, control] = await Promise.all([Platform.start({ args }), Platform.start({ args })]);
  for (const { runtime, ca, authtoken } of [platform, control]) {
    const agent = connectAgent({ serverAddr: `localhost:${splitAddress(runtime.agent_addr)[1]}`, ca, authtoken });
    agents.push(agent);
    await agent.listen({ url: 'https://calm.test', upstream: upstream.url });
  }
  await agents[0]?.listen({ url: `https://${HOST}`, upstream: upstream.url });
  // What runs for the first time is slow for other reasons.
  await visitWhile(Promise.resolve(), false, 0);
  await visitWhile(floodWith('rapid reset').report, false, 0);
});
afterAll(async () => {
  await Promise.all([platform?.dispose(), control?.dispose()]);
  for (const agent of agents) await agent.close(0);
  await upstream?.close();
});

describe.skipIf(process.platform !== 'linux')('a flood of', () => {
  test.each(Object.entries(FLOODS))('%s', async (kind, { deaf = false }) => {
    const before = await residentBytes();
    const flood = floodWith(kind, deaf);
    const seen = await visitWhile(flood.report, deaf, before);
    // Who does not read does not see the end of its connection either.
    if (deaf) flood.kill();
    const report = await flood.report;
    process.stdout.write(
      `${kind}: ${report === null ? 'answers unread' : `${(report.bytes / 1e6).toFixed(1)} MB over ${report.connections} connections`}, ` +
        `${seen.left === 0 ? 'all ended' : 'not ended'} in ${Math.round(seen.lasted)} ms; ` +
        `other visitor ${describePace(seen.times, seen.controlTimes)}; memory +${(seen.growth / 1e6).toFixed(0)} MB\n`,
    );
    if (!deaf) expect(report?.ended).toBe(report?.connections);
    expect(seen.left, 'connections of the abuser').toBe(0);
    expect(slowdown(seen.times, seen.controlTimes)).toBeLessThan(SLOWDOWN);
    expect(seen.growth).toBeLessThan(GROWTH_BYTES);
  });
});

interface Seen {
  readonly times: Times;
  readonly controlTimes: Times;
  /** The most memory above that before the flood. */
  readonly growth: number;
  /** Connections beside this visitor's own at the end. */
  readonly left: number;
  readonly lasted: number;
}

/** Sequential requests of another visitor, and of one at the control, until the flood is over, and a few more. */
async function visitWhile(flood: Promise<unknown>, deaf: boolean, before: number): Promise<Seen> {
  const started = performance.now();
  let growth = 0;
  let left = Number.NaN;
  let came = false;
  const state = { over: false, stop: false };
  const ended = (): void => {
    state.over = true;
  };
  flood.then(ended, ended);
  const look = async (): Promise<void> => {
    growth = Math.max(growth, (await residentBytes()) - before);
    left = (await metric(platform, 'postern_visitor_connections')) - 1;
    came ||= left > 0;
    state.over ||= deaf && came && left === 0 && performance.now() - started > RETRIES_MS;
  };
  const watched = [visitorOf(platform), visitorOf(control)];
  const visits = watched.map(({ visit }) => visitAgain(visit, () => state.stop, 2));
  while (!state.over) {
    await look();
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  await new Promise((resolve) => setTimeout(resolve, AFTERWARDS_MS));
  state.stop = true;
  const [times = [], controlTimes = []] = await Promise.all(visits);
  // Where a client has ended is seen by the server in its turn, which a busy machine lets wait.
  await until(async () => {
    await look();
    return left === 0;
  }).catch(() => undefined);
  for (const { keep } of watched) keep.destroy();
  return { times, controlTimes, growth, left, lasted: performance.now() - started };
}

function visitorOf({ runtime, ca }: Platform): { keep: https.Agent; visit: () => Promise<void> } {
  const [host, port] = splitAddress(runtime.https_addr);
  const options = { host, port, servername: 'calm.test', ca };
  const keep = new https.Agent({ ...options, keepAlive: true, maxSockets: 1 });
  return { keep, visit: async () => expect(await get({ ...options, agent: keep })).toBe('ok') };
}

function get(options: https.RequestOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = https.get(
      { ...options, path: '/', headers: { host: 'calm.test' } },
      (response: http.IncomingMessage) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve(text));
        response.on('error', reject);
      },
    );
    request.on('error', reject);
  });
}

async function residentBytes(): Promise<number> {
  const statm = await readFile(`/proc/${platform.runtime.pid}/statm`, 'utf8');
  return Number(statm.split(' ')[1]) * 4096;
}

interface RunningFlood {
  /** null when it was killed. */
  readonly report: Promise<FloodReport | null>;
  kill(): void;
}

function floodWith(kind: string, deaf = false): RunningFlood {
  const [host, port] = splitAddress(platform.runtime.https_addr);
  const door = { host, port, tls: { servername: HOST, ca: platform.ca, alpn: ['h2'] } };
  return runFlood({
    kind,
    door,
    host: HOST,
    milliseconds: FLOOD_MS,
    mostMilliseconds: deaf ? DEAF_MS : MOST_MS,
  });
}

function runFlood(options: FloodOptions): RunningFlood {
  const script = path.join(repositoryRoot, 'test', 'support', 'floods', 'flood.ts');
  const child = spawn(process.execPath, [script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, FLOOD: JSON.stringify(options) },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const report = new Promise<FloodReport | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(readReport(output));
      else if (signal === 'SIGTERM') resolve(null);
      else reject(new Error(`the flood failed with code ${String(code)}`));
    });
  });
  return { report, kill: () => child.kill() };
}

function readReport(text: string): FloodReport {
  const report: Record<string, unknown> = JSON.parse(text);
  return {
    connections: Number(report['connections']),
    ended: Number(report['ended']),
    bytes: Number(report['bytes']),
  };
}
