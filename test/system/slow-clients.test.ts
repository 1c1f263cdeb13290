/** Clients that send a byte now and then: deadlines and counts bound them, and others are served meanwhile. */
import http from 'node:http';
import { type AgentSession, connectAgent } from '@postern/agent';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FrameType, frame, PREFACE, settings } from '../support/framing/h2-wire.ts';
import { metric } from '../support/metrics.ts';
import { describePace, slowdown, type Times, visitAgain } from '../support/pace.ts';
import { Platform, splitAddress } from '../support/platform.ts';
import { agentAddress } from '../support/sdk.ts';
import type { SlowKind } from '../support/slow/clients.ts';
import { SlowCrowd } from '../support/slow/crowd.ts';
import { PATIENCE_MS, until } from '../support/until.ts';
import { httpUpstream, type Upstream } from '../support/upstream.ts';

/** SLOW_CLIENTS=10000 for more; the limit of open files has to be above twice that. */
const CLIENTS = Number(process.env['SLOW_CLIENTS'] ?? 2_000);
const HEAD_SECONDS = 6;
const IDLE_SECONDS = 6;
/** Time for what the edge fixes by itself: hello 3 s, TLS handshake and Auth 10 s. */
const LONGEST_MS = 10_000;
/** So many times longer may a visit take than at a server without slow clients; to wait for them would be hundreds. */
const SLOWDOWN = 40;
const PAUSE_MS = 20;
const SLOW = '127.0.0.1';
/** Another address of this machine, for whoever is not slow. */
const OTHER = '127.0.0.2';

const share = (part: number): number => Math.max(1, Math.round(CLIENTS * part));
const text = (value: string): Buffer => Buffer.from(value, 'latin1');
const NOTHING = Buffer.alloc(0);
/** The start of a ClientHello record that promises 512 bytes. */
const HELLO = Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]);

interface Stage {
  readonly platform: Platform;
  readonly agent: AgentSession;
  readonly upstream: Upstream;
}

async function setStage(args: readonly string[]): Promise<Stage> {
  const upstream = await httpUpstream((request, response) => {
    request.on('error', () => undefined);
    request.resume();
    request.on('end', () => response.end('ok'));
  });
  const platform = await Platform.start({ args });
  const agent = connectAgent({ serverAddr: agentAddress(platform), ca: platform.ca, authtoken: platform.authtoken });
  await agent.listen({ url: 'http://slow.test', upstream: upstream.url });
  await agent.listen({ url: 'https://slow.test', upstream: upstream.url });
  const stage = { platform, agent, upstream };
  // What runs for the first time is slow for other reasons.
  let left = 20;
  await serveMeanwhile(stage, () => (left -= 1) < 0);
  return stage;
}

/** Without slow clients: what the machine itself is busy with shows here, too. */
let control: Stage;
beforeAll(async () => {
  control = await setStage([]);
});
afterAll(() => strike(control));

/** Visits of others to both, until `over`. */
async function serveBoth(stage: Stage, over: () => boolean): Promise<{ slowdown: number; text: string }> {
  const [times, controlTimes] = await Promise.all([serveMeanwhile(stage, over), serveMeanwhile(control, over)]);
  return {
    slowdown: slowdown(times, controlTimes),
    text: `other visitor ${describePace(times, controlTimes)}`,
  };
}

async function strike({ platform, agent, upstream }: Stage): Promise<void> {
  await platform.dispose();
  await agent.close(0);
  await upstream.close();
}

function slowKinds({ platform }: Stage): readonly SlowKind[] {
  const port = (address: string): number => splitAddress(address)[1];
  const { http_addr, https_addr, agent_addr } = platform.runtime;
  const [web, secure, agents] = [port(http_addr), port(https_addr), port(agent_addr)];
  const visitor = { servername: 'slow.test', ca: platform.ca };
  const head = text('GET / HTTP/1.1\r\nHost: slow.test\r\n');
  const more = text('X-Slow: yyyyyyyyyyyyyyy\r\n');
  return [
    { name: 'heads', port: web, atOnce: head, trickle: more, count: share(0.25) },
    { name: 'first bytes', port: web, atOnce: NOTHING, trickle: text('GET /aaaaaaaaaaaaaaaaaaaa'), count: share(0.1) },
    { name: 'silence on the HTTP port', port: web, atOnce: NOTHING, trickle: NOTHING, count: share(0.1) },
    { name: 'TLS hellos', port: secure, atOnce: HELLO, trickle: NOTHING, count: share(0.05) },
    { name: 'TLS hellos by the byte', port: secure, atOnce: HELLO, trickle: text('\0'), count: share(0.15) },
    { name: 'silence on the TLS port', port: secure, atOnce: NOTHING, trickle: NOTHING, count: share(0.05) },
    { name: 'heads over TLS', port: secure, tls: visitor, atOnce: head, trickle: more, count: share(0.05) },
    {
      name: 'HTTP/2 heads without end',
      port: secure,
      tls: { ...visitor, alpn: ['h2'] },
      atOnce: Buffer.concat([PREFACE, settings(), frame(FrameType.headers, 0, 1, Buffer.from([0x82]))]),
      trickle: NOTHING,
      count: share(0.05),
    },
    { name: 'agent hellos by the byte', port: agents, atOnce: HELLO, trickle: text('\0'), count: share(0.1) },
    {
      name: 'agents that do not say who they are',
      port: agents,
      tls: { servername: 'localhost', ca: platform.ca },
      // Zeros are data frames of no length: a session begins and says nothing.
      atOnce: NOTHING,
      trickle: NOTHING,
      count: share(0.05),
    },
    {
      name: 'agents that say it by the byte',
      port: agents,
      tls: { servername: 'localhost', ca: platform.ca },
      // A SYN of stream 3, type Auth, with more to come.
      atOnce: Buffer.from([0, 64, 0, 0x12, 0, 0, 0, 3, 0, 0, 0, 0, 0x7b]),
      trickle: text(' '),
      count: share(0.05),
    },
  ];
}

/** Requests of a visitor from another address until `over`. Every second makes a connection of its own. */
async function serveMeanwhile({ platform }: Stage, over: () => boolean): Promise<Times> {
  const [host, port] = splitAddress(platform.runtime.http_addr);
  const keep = new http.Agent({ keepAlive: true, maxSockets: 1 });
  let count = 0;
  const visit = async (): Promise<void> => {
    count += 1;
    const agent = count % 2 === 0 ? keep : new http.Agent({ keepAlive: false });
    expect(await get({ host, port, localAddress: OTHER, headers: { host: 'slow.test' }, agent })).toBe('200 ok');
  };
  const times = await visitAgain(visit, over, PAUSE_MS);
  keep.destroy();
  return times;
}

function get(options: http.RequestOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get(options, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve(`${response.statusCode ?? 0} ${body}`));
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

describe('deadlines', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await setStage([`--request-head-timeout=${HEAD_SECONDS}`, `--idle-timeout=${IDLE_SECONDS}`]);
  });
  afterAll(() => strike(stage));

  test(`end ${CLIENTS} slow clients of every kind`, async () => {
    const slow = new SlowCrowd(SLOW);
    const kinds = slowKinds(stage);
    const started = Date.now();
    const state = { over: false, most: 0 };
    const others = serveBoth(stage, () => state.over);
    try {
      // Those that take longest to make and have the longest deadlines first.
      for (const kind of kinds.toReversed()) state.most = Math.max(state.most, (await slow.open(kind)).alive);
      const opened = Date.now() - started;
      const { counts } = await until(async () => {
        const now = await slow.count();
        if (now.alive > 0) throw new Error(JSON.stringify(now.counts));
        return now;
      }, LONGEST_MS + PATIENCE_MS);
      state.over = true;
      const pace = await others;
      process.stdout.write(
        `slow clients: ${CLIENTS} opened in ${opened} ms, ${state.most} at once, all ended after ${Date.now() - started} ms; ` +
          `${pace.text}\n`,
      );
      // Every kind has got as far as its own slowness.
      expect(counts).toEqual({});
      expect(pace.slowdown).toBeLessThan(SLOWDOWN);
    } finally {
      state.over = true;
      slow.close();
      await others.catch(() => undefined);
    }
    await until(async () => (await metric(stage.platform, 'postern_visitor_connections')) === 0);
    // The agent's two streams for heartbeats.
    await until(async () => (await metric(stage.platform, 'postern_agent_streams')) <= 2);
    expect(await metric(stage.platform, 'postern_agent_sessions')).toBe(1);
  });
});

describe('counts', () => {
  const LIMIT = 200;
  let stage: Stage;
  beforeAll(async () => {
    stage = await setStage([`--max-connections-per-ip=${LIMIT}`]);
  });
  afterAll(() => strike(stage));

  test('bound slow bodies, for which there is no deadline', async () => {
    const slow = new SlowCrowd(SLOW);
    const { http_addr } = stage.platform.runtime;
    const bodies: SlowKind = {
      name: 'bodies',
      port: splitAddress(http_addr)[1],
      atOnce: text('POST / HTTP/1.1\r\nHost: slow.test\r\nContent-Length: 1000000\r\n\r\n'),
      trickle: text('x'),
      count: LIMIT * 3,
    };
    const state = { over: false };
    const others = serveBoth(stage, () => state.over);
    try {
      await slow.open(bodies);
      await until(async () => (await slow.count()).alive <= LIMIT);
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      expect((await slow.count()).alive).toBe(LIMIT);
      expect(await metric(stage.platform, 'postern_visitor_connections')).toBeLessThanOrEqual(LIMIT + 2);
      state.over = true;
      const pace = await others;
      process.stdout.write(`slow bodies: ${bodies.count} tried, ${LIMIT} let in; ${pace.text}\n`);
      expect(pace.slowdown).toBeLessThan(SLOWDOWN);
    } finally {
      state.over = true;
      slow.close();
      await others.catch(() => undefined);
    }
    await until(async () => (await metric(stage.platform, 'postern_visitor_connections')) === 0);
    await until(async () => (await metric(stage.platform, 'postern_agent_streams')) <= 2);
    // The places are free again.
    const [host, port] = splitAddress(http_addr);
    expect(await get({ host, port, localAddress: SLOW, headers: { host: 'slow.test' } })).toBe('200 ok');
  });
});

describe('places', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await setStage([]);
  });
  afterAll(() => strike(stage));

  test('of an agent go to who uses them, when slow bodies have taken them all', async () => {
    const slow = new SlowCrowd(SLOW);
    try {
      await slow.open({
        name: 'bodies',
        port: splitAddress(stage.platform.runtime.http_addr)[1],
        atOnce: text('POST / HTTP/1.1\r\nHost: slow.test\r\nContent-Length: 1000000\r\n\r\n'),
        trickle: text('x'),
        count: 500,
      });
      await until(async () => (await metric(stage.platform, 'postern_agent_streams')) >= 480);
      // Nobody is called slow before ten seconds.
      await new Promise((resolve) => setTimeout(resolve, 10_500));
      let left = 60;
      const pace = await serveBoth(stage, () => (left -= 1) < 0);
      process.stdout.write(`places taken by slow bodies: ${pace.text}\n`);
      expect(pace.slowdown).toBeLessThan(SLOWDOWN);
    } finally {
      slow.close();
    }
    await until(async () => (await metric(stage.platform, 'postern_visitor_connections')) === 0);
    await until(async () => (await metric(stage.platform, 'postern_agent_streams')) <= 2);
  });
});
