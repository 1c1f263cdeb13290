/**
 * Agents of ours under traffic, while their wires are cut, freeze, forget them or go for a while, at random (seeded) moments,
 * while one of them sleeps, and while the server restarts or is killed. URLs never change, nobody is answered by another's
 * service, and whoever kept a second connection is served all along.
 *
 * `POSTERN_WIRE_CUTS=30` makes as many of them, with outages as long as real ones, and says how long the way back took:
 * from the moment that the wire (or server) is there again to the first visitor who is served.
 */
import http from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Dice } from '@postern/edge/testing/dice';
import type { AgentSession, Listener } from '@postern/agent';
import { agentOf } from '../support/agent.ts';
import { Platform, splitAddress } from '../support/platform.ts';
import { quantile, spread } from '../support/spread.ts';
import { Tunnel } from '../support/tunnel.ts';
import { until } from '../support/until.ts';
import { httpUpstream, type Upstream } from '../support/upstream.ts';
import { Wire } from '../support/wire.ts';

const SEED = Number(process.env['POSTERN_SEED'] ?? 20_261_129);
const CUTS = Number(process.env['POSTERN_WIRE_CUTS'] ?? 4);
const IS_LONG = CUTS > 4;
/** Outages at most; the long run has some beyond the tolerance of heartbeats (15 s). */
const LONGEST_MS = IS_LONG ? 8000 : 700;
const FROZEN_MS = IS_LONG ? 20_000 : 700;
/** A visitor gives up then and asks again. */
const VISIT_MS = 1500;
const POLL_MS = 25;
const VISITORS = 3;

const FAULTS = [
  'forgotten',
  'restart',
  'sleep',
  'cut',
  'outage',
  'frozen',
  'half-open',
  'frozen and forgotten',
  'kill',
] as const;
type Fault = (typeof FAULTS)[number];

interface Served {
  readonly name: string;
  readonly url: string;
  readonly wires: readonly Wire[];
  readonly upstream: Upstream;
  /** What visitors got, by what it was. */
  readonly answers: Map<string, number>;
}

let platform: Platform;
let child: Tunnel;
let sessions: AgentSession[];
let listeners: Listener[];
let served: Served[];

async function newServed(
  name: string,
  wires: number,
  url: (wires: readonly Wire[], upstream: Upstream) => Promise<string>,
): Promise<Served> {
  const upstream = await httpUpstream((_request, response) => response.end(name));
  const target = (): { host: string; port: number } => {
    const [host, port] = splitAddress(platform.runtime.agent_addr);
    return { host, port };
  };
  const made = await Promise.all(Array.from({ length: wires }, () => Wire.to(target)));
  return { name, upstream, wires: made, url: await url(made, upstream), answers: new Map() };
}

beforeAll(async () => {
  platform = await Platform.start();
  sessions = [];
  listeners = [];
  const library = async (wires: readonly Wire[], upstream: Upstream, wish: object): Promise<string> => {
    const session = agentOf(platform, {
      serverAddr: wires.map(({ port }) => `127.0.0.1:${port}`),
      sessions: wires.length,
    });
    sessions.push(session);
    const listener = await session.listen({ upstream: upstream.url, ...wish });
    listeners.push(listener);
    return listener.url;
  };
  served = [
    await newServed('random name', 1, (wires, upstream) => library(wires, upstream, { url: 'http://' })),
    await newServed('two sessions', 2, (wires, upstream) => library(wires, upstream, { url: 'http://two.test' })),
    await newServed('command', 1, async ([wire], upstream) => {
      child = new Tunnel(
        ['http', String(upstream.port), '--url=http://', '--web-addr=false', `--connect-url=localhost:${wire?.port}`],
        {
          cwd: platform.dataDir,
          env: {
            HOME: platform.dataDir,
            XDG_CONFIG_HOME: platform.dataDir,
            POSTERN_AUTHTOKEN: platform.authtoken,
            POSTERN_CONNECT_CAS: platform.runtime.ca_path,
          },
        },
      );
      return child.url();
    }),
  ];
});

afterAll(async () => {
  child?.child.kill('SIGCONT');
  await child?.stop('SIGKILL');
  await Promise.all(sessions?.map((session) => session.close(0)) ?? []);
  await Promise.all(
    served?.flatMap(({ wires, upstream }) => [upstream.close(), ...wires.map((wire) => wire.close())]) ?? [],
  );
  await platform?.dispose();
});

/** The name of who answered, else what came instead. */
function visit(url: string): Promise<string> {
  const [host, port] = splitAddress(platform.runtime.http_addr);
  return new Promise((resolve) => {
    const request = http.request({ host, port, headers: { host: new URL(url).host }, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('error', () => resolve('broken'));
      response.on('end', () => {
        const code = response.headers['ngrok-error-code'];
        resolve(response.statusCode === 200 ? text : `${response.statusCode} ${String(code ?? '')}`);
      });
    });
    request.setTimeout(VISIT_MS, () => request.destroy());
    request.on('error', () => resolve('no answer'));
    request.end();
  });
}

/** Visitors of everybody, one after another in each of some rows, until told. */
function keepVisiting(): () => Promise<void> {
  const over = new AbortController();
  const rows = served.flatMap((one) =>
    Array.from({ length: VISITORS }, async () => {
      while (!over.signal.aborted) {
        const answer = await visit(one.url);
        one.answers.set(answer, (one.answers.get(answer) ?? 0) + 1);
        await pause(10);
      }
    }),
  );
  return async () => {
    over.abort();
    await Promise.all(rows);
  };
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Milliseconds until somebody is served; visitors come all the time and wait for nobody. */
async function timeToServe({ url, name }: Served): Promise<number> {
  const began = performance.now();
  let isServed = false;
  const asked: Promise<void>[] = [];
  await until(
    async () => {
      asked.push(visit(url).then((answer) => void (isServed ||= answer === name)));
      await Promise.race([pause(POLL_MS), asked.at(-1)]);
      return isServed;
    },
    60_000,
    POLL_MS,
  );
  const took = performance.now() - began;
  await Promise.all(asked);
  return took;
}

/** Makes a fault on some wires, and answers when it is over and who was concerned. */
async function suffer(fault: Fault, one: Served, dice: Dice): Promise<readonly Served[]> {
  // Of two wires one is left alone.
  const wire = one.wires[dice.below(one.wires.length)];
  if (wire === undefined) throw new Error('no wire');
  const outage = 50 + dice.below(LONGEST_MS);
  switch (fault) {
    case 'cut':
      wire.cut();
      return [one];
    case 'half-open':
      wire.halfOpen();
      return [one];
    case 'forgotten':
      wire.vanish();
      return [one];
    case 'outage':
      wire.refuse();
      wire.cut();
      await pause(outage);
      wire.accept();
      return [one];
    case 'frozen':
    case 'frozen and forgotten':
      wire.stall();
      // A frozen wire reaches nobody. A relay cannot leave an attempt unanswered, so it resets it.
      wire.refuse();
      await pause(50 + dice.below(FROZEN_MS));
      if (fault !== 'frozen') wire.vanish();
      wire.resume();
      wire.accept();
      return [one];
    case 'sleep': {
      const command = served.find(({ name }) => name === 'command');
      if (command === undefined) throw new Error('no command');
      child.child.kill('SIGSTOP');
      await pause(outage);
      if (dice.below(2) === 0) command.wires[0]?.vanish();
      child.child.kill('SIGCONT');
      return [command];
    }
    case 'restart':
    case 'kill':
      break;
  }
  platform = await platform.restart(fault === 'kill' ? 'SIGKILL' : 'SIGTERM', { listen: platform.sameAddresses });
  return served;
}

test(
  `${CUTS} cut wires and restarts under traffic, seed ${SEED}`,
  async () => {
    const dice = new Dice(SEED);
    const times: number[] = [];
    const told: string[] = [];
    const urls = served.map(({ url }) => url);
    for (const one of served) await timeToServe(one);
    const stop = keepVisiting();
    for (let round = 0; round < CUTS; round += 1) {
      const fault = FAULTS[round % FAULTS.length] ?? 'cut';
      const one = served[dice.below(served.length)];
      if (one === undefined) throw new Error('nobody is served');
      await pause(dice.below(IS_LONG ? 3000 : 300));
      const isRestart = fault === 'restart' || fault === 'kill';
      const two = served[1];
      const before = new Map(two?.answers);
      const concerned = await suffer(fault, one, dice);
      const took = await Promise.all(concerned.map(timeToServe));
      times.push(...took);
      const faults = [...(two?.answers ?? [])].filter(
        ([answer, count]) => answer !== two?.name && count > (before.get(answer) ?? 0),
      );
      told.push(
        `${fault}, ${concerned.map(({ name }, at) => `${name} ${Math.round(took[at] ?? 0)} ms`).join(', ')}${isRestart ? '' : `; of two sessions ${JSON.stringify(faults)}`}`,
      );
      // Both connections are there again, or the next fault may hit the only one.
      await until(() => sessions[1]?.legs.every(({ online }) => online));
    }
    await stop();
    process.stdout.write(
      `wire cuts: ${CUTS}, seed ${SEED}; from the wire's return: ${spread(times)}\n` +
        (IS_LONG ? told.map((line) => `  ${line}\n`).join('') : '') +
        served
          .map(
            ({ name, answers }) =>
              `  visitors of ${name}: ${[...answers].map(([answer, count]) => `${answer} × ${count}`).join(', ')}\n`,
          )
          .join(''),
    );
    for (const { name, answers } of served) {
      // Nobody else's service answers: what is no name is an error page or a broken connection.
      expect([...answers.keys()].filter((answer) => served.some((other) => other.name === answer))).toEqual([name]);
    }
    expect(listeners.map(({ url }) => url)).toEqual(urls.slice(0, 2));
    expect(child.stdout).toBe(`url=${urls[2]}\n`);
    expect(sessions.map(({ state }) => state)).toEqual(['online', 'online']);
    if (IS_LONG) expect(quantile(times, 0.99)).toBeLessThan(3000);
  },
  IS_LONG ? 900_000 : 300_000,
);
