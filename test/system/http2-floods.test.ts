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
import { Platform, repositoryRoot, splitAddress } from '../support/platform.ts';
import { agentAddress } from '../support/sdk.ts';
import { httpUpstream, type Upstream } from '../support/upstream.ts';

const HOST = 'flooded.test';
/** How long a flood comes again and again. */
const FLOOD_MS = 1_500;
const MOST_MS = 5_000;
/** Longer than that, so that it is not for idleness that a flood ends. */
const IDLE_SECONDS = 6;
/** Who does not read ends by being idle. */
const DEAF_MS = 15_000;
const P99_MS = 250;
const GROWTH_BYTES = 96 * 1024 * 1024;
/** Requests between two looks at memory and connections. */
const LOOK_EVERY = 8;
const LARGE = Buffer.alloc(4 * 1024 * 1024, 0x78);

let platform: Platform;
let agent: AgentSession;
/** p99 of the other visitor without a flood: what the machine itself is busy with is not the flood's doing. */
let quiet = 0;
let upstream: Upstream;

beforeAll(async () => {
  upstream = await httpUpstream((request, response) => {
    request.on('error', () => undefined);
    request.resume();
    if (request.url === '/hold') return;
    response.end(request.url === '/large' ? LARGE : 'ok');
  });
  platform = await Platform.start({ args: [`--idle-timeout=${IDLE_SECONDS}`] });
  agent = connectAgent({ serverAddr: agentAddress(platform), ca: platform.ca, authtoken: platform.authtoken });
  await agent.listen({ url: `https://${HOST}`, upstream: upstream.url });
  await agent.listen({ url: 'https://calm.test', upstream: upstream.url });
  // What runs for the first time is slow for other reasons.
  await visitWhile(Promise.resolve(), false, 0);
  quiet = p99Of((await visitWhile(new Promise((resolve) => setTimeout(resolve, 1_000)), false, 0)).times);
});
afterAll(async () => {
  await platform?.dispose();
  await agent?.close(0);
  await upstream?.close();
});

describe.skipIf(process.platform !== 'linux')('a flood of', () => {
  test.each(Object.entries(FLOODS))('%s', async (kind, { deaf = false }) => {
    const before = await residentBytes();
    const [host, port] = splitAddress(platform.runtime.https_addr);
    const door = { host, port, tls: { servername: HOST, ca: platform.ca, alpn: ['h2'] } };
    const flood = runFlood({
      kind,
      door,
      host: HOST,
      milliseconds: FLOOD_MS,
      mostMilliseconds: deaf ? DEAF_MS : MOST_MS,
    });
    const seen = await visitWhile(flood.report, deaf, before);
    // Who does not read does not see the end of its connection either.
    if (deaf) flood.kill();
    const report = await flood.report;
    const p99 = p99Of(seen.times);
    process.stdout.write(
      `${kind}: ${report === null ? 'answers unread' : `${(report.bytes / 1e6).toFixed(1)} MB over ${report.connections} connections`}, ` +
        `${seen.left === 0 ? 'all ended' : 'not ended'} in ${Math.round(seen.lasted)} ms; ` +
        `other visitor p99 ${p99.toFixed(0)} ms of ${seen.times.length} (${quiet.toFixed(0)} without); memory +${(seen.growth / 1e6).toFixed(0)} MB\n`,
    );
    if (!deaf) expect(report?.ended).toBe(report?.connections);
    expect(seen.left, 'connections of the abuser').toBe(0);
    expect(p99).toBeLessThan(quiet + P99_MS);
    expect(seen.growth).toBeLessThan(GROWTH_BYTES);
  });
});

interface Seen {
  /** Milliseconds of each request, sorted. */
  readonly times: readonly number[];
  /** The most memory above that before the flood. */
  readonly growth: number;
  /** Connections beside this visitor's own at the end. */
  readonly left: number;
  readonly lasted: number;
}

/** Sequential requests of another visitor until the flood is over, and a few more. */
async function visitWhile(flood: Promise<unknown>, deaf: boolean, before: number): Promise<Seen> {
  const [host, port] = splitAddress(platform.runtime.https_addr);
  const options = { host, port, servername: 'calm.test', ca: platform.ca };
  const keep = new https.Agent({ ...options, keepAlive: true, maxSockets: 1 });
  const started = performance.now();
  const times: number[] = [];
  let growth = 0;
  let left = Number.NaN;
  let came = false;
  let over = false;
  const ended = (): void => {
    over = true;
  };
  flood.then(ended, ended);
  const look = async (): Promise<void> => {
    growth = Math.max(growth, (await residentBytes()) - before);
    left = (await metric(platform, 'postern_visitor_connections')) - 1;
    came ||= left > 0;
    over ||= deaf && came && left === 0;
  };
  for (let more = 30; more > 0; more -= over ? 1 : 0) {
    const began = performance.now();
    expect(await get({ ...options, agent: keep })).toBe('ok');
    times.push(performance.now() - began);
    if (times.length % LOOK_EVERY === 0) await look();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await look();
  keep.destroy();
  return { times: times.toSorted((a, b) => a - b), growth, left, lasted: performance.now() - started };
}

function p99Of(sorted: readonly number[]): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? Number.NaN;
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
