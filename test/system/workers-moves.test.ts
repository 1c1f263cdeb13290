/**
 * `--workers 2`: a kept connection whose requests cross again and again goes on at the worker that has the agent. Two
 * agents, one at each worker; a dozen visitors of one of them land anywhere, and all of them end at its worker.
 */
import net from 'node:net';
import process from 'node:process';
import type ngrok from '@ngrok/ngrok';
import { Dice } from '@postern/edge/testing/dice';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { metric } from '../support/metrics.ts';
import { Platform, splitAddress } from '../support/platform.ts';
import { sessionBuilder } from '../support/sdk.ts';
import { until } from '../support/until.ts';
import { httpUpstream } from '../support/upstream.ts';

/** More than a connection has to cross before it moves. */
const MANY = 120;
const LONG = 4 * MANY;
const VISITORS = 12;
const SEED = Number(process.env['POSTERN_SEED'] ?? 20_261_129);
const NAMES = ['one', 'two'] as const;

let platform: Platform;
const sessions: ngrok.Session[] = [];
const closing: (() => unknown)[] = [];
/** Of visitors. */
const sockets: net.Socket[] = [];
/** Addresses that the services were told of, by path. */
const seen = new Map<string, string>();

beforeAll(async () => {
  platform = await Platform.start({ args: ['--workers=2', `--max-connections-per-ip=${VISITORS}`] });
  for (const name of NAMES) {
    // One after the other: they are handed out in turn.
    // oxlint-disable no-await-in-loop
    const upstream = await httpUpstream((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        seen.set(request.url ?? '', String(request.headers['x-forwarded-for']));
        const answer = (): unknown => response.end(`${name} ${request.url} ${body}.`);
        if (request.url?.startsWith('/slow') === true) setTimeout(answer, 20);
        else answer();
      });
    });
    const echoes = new WebSocketServer({ server: upstream.server });
    echoes.on('connection', (socket) => socket.on('message', (data: Buffer) => socket.send(data, { binary: true })));
    closing.push(
      () => echoes.close(),
      () => upstream.close(),
    );
    const session = await sessionBuilder(platform).connect();
    sessions.push(session);
    await session.httpEndpoint().scheme('HTTP').domain(`${name}.example.com`).listenAndForward(upstream.url);
    // oxlint-enable no-await-in-loop
  }
});
afterAll(async () => {
  await platform?.dispose();
  await Promise.all(sessions.map((session) => session.close().catch(() => undefined)));
  await Promise.all(closing.map((close) => close()));
});

afterEach(() => leave());

const moved = (): Promise<number> => metric(platform, 'postern_moved_connections_total');
const open = (): Promise<number> => metric(platform, 'postern_listener_connections{listener="http"}');
const answered = (): Promise<number> => metric(platform, 'postern_http_requests_total{status="2xx"}');
const refused = (): Promise<number> => metric(platform, 'postern_listener_refused_connections_total{listener="http"}');

class Visitor {
  readonly socket: net.Socket;
  #text = '';
  #wake: (() => void) | null = null;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#text += chunk.toString('latin1');
      this.#wake?.();
    });
    socket.on('error', () => {});
    socket.on('close', () => this.#wake?.());
  }

  static async come(): Promise<Visitor> {
    const [host, port] = splitAddress(platform.runtime.http_addr);
    const visitor = new Visitor(net.connect({ host, port, noDelay: true }));
    sockets.push(visitor.socket);
    // Who is one too many may be reset before he knows that he was let in.
    await new Promise((resolve) => visitor.socket.once('connect', resolve).once('close', resolve));
    return visitor;
  }

  /** @returns the answer's body, or '' when the connection has ended */
  async answer(): Promise<string> {
    for (;;) {
      const found = /^HTTP\/1\.1 (\d+) [^]*?\r\ncontent-length: (\d+)(?=\r\n)[^]*?\r\n\r\n/i.exec(this.#text);
      const end = found === null ? Infinity : found[0].length + Number(found[2]);
      if (found !== null && this.#text.length >= end) {
        const body = this.#text.slice(found[0].length, end);
        this.#text = this.#text.slice(end);
        return found[1] === '200' ? body : `${found[1]}`;
      }
      if (this.socket.destroyed || this.socket.readableEnded) return '';
      // oxlint-disable-next-line no-await-in-loop
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async ask(name: string, path: string): Promise<string> {
    this.socket.write(get(name, path));
    return this.answer();
  }
}

const get = (name: string, path: string): string => `GET ${path} HTTP/1.1\r\nHost: ${name}.example.com\r\n\r\n`;

const dozen = (): Promise<Visitor[]> => Promise.all(Array.from({ length: VISITORS }, () => Visitor.come()));

/** Each asks, one request after the other, until all have come to the worker of the agent. */
async function settle(visitors: readonly Visitor[], name: string): Promise<void> {
  await until(async () => {
    await Promise.all(
      visitors.map(async (visitor, at) => {
        for (let n = 0; n < MANY; n++) expect(await visitor.ask(name, `/${at}/${n}`)).toBe(`${name} /${at}/${n} .`);
      }),
    );
    // Asked again each time: what the log says may come later than what it is about.
    const there = holderOf(name).split('.')[0] ?? '';
    return (await metric(platform, `postern_worker_visitor_connections{worker="${there}"}`)) === visitors.length;
  });
}

/** What the log says of workers: their processes, and which has the session of each agent, in the order they came. */
function workersOf(): { pids: Map<string, number>; holders: string[] } {
  const pids = new Map<string, number>();
  const holders: string[] = [];
  for (const line of platform.output.split('\n')) {
    if (!line.startsWith('{') || !line.endsWith('}')) continue;
    const { msg, worker, pid } = JSON.parse(line) as { msg: string; worker: string; pid: number };
    if (msg === 'a worker serves') pids.set(worker, pid);
    if (msg === 'agent connected') holders.push(worker);
  }
  return { pids, holders };
}

const holderOf = (name: string): string => workersOf().holders[NAMES.findIndex((one) => one === name)] ?? '';

/** All of them. */
async function leave(): Promise<void> {
  for (const socket of sockets.splice(0)) socket.destroy();
  await until(async () => (await open()) === 0);
}

test('they move, every request is answered and counted once, and so is every connection', async () => {
  const [was, requests] = [await moved(), await answered()];
  const visitors = await dozen();
  const addresses = visitors.map(({ socket }) => socket.localPort);
  // Whoever moves moves to the agent's worker; whoever is there for one moves for the other.
  await settle(visitors, 'one');
  const there = await moved();
  await settle(visitors, 'two');
  expect(await moved()).toBe(there + VISITORS);
  expect(there).toBeGreaterThanOrEqual(was);
  expect(visitors.map(({ socket }) => socket.localPort)).toEqual(addresses);
  expect(new Set(seen.values())).toEqual(new Set(['127.0.0.1']));
  expect(await open()).toBe(VISITORS);
  expect(((await answered()) - requests) % (VISITORS * MANY)).toBe(0);
  // The limit holds for all of them together, wherever they are.
  const before = await refused();
  const late = await Visitor.come();
  expect(await late.ask('two', '/late')).toBe('');
  expect(await refused()).toBe(before + 1);
  visitors[0]?.socket.destroy();
  // Every worker hears of it.
  await until(async () => (await (await Visitor.come()).ask('two', '/again')) === 'two /again .');
  expect(await open()).toBe(VISITORS);
});

test('requests that are pipelined, cut in pieces and under way come out as they went in', async () => {
  process.stdout.write(`moves: seed ${SEED}\n`);
  const visitors = await dozen();
  const before = await moved();
  await Promise.all(
    visitors.map(async (visitor, at) => {
      const chance = new Dice(SEED + at);
      const random = (limit: number): number => chance.below(limit);
      // One worker may have accepted all of them: half have to cross then.
      const name = NAMES[at % 2] ?? '';
      const numbers = Array.from({ length: LONG }, (_, n) => n);
      while (numbers.length > 0) {
        const count = random(4) === 0 ? 1 + random(5) : 1;
        const paths = numbers.splice(0, count).map((n) => `/${random(40) === 0 ? 'slow-' : ''}${at}-${n}`);
        const bytes = paths
          .map((path) => {
            const body = 'x'.repeat(random(3) === 0 ? random(3_000) : 0);
            return `POST ${path} HTTP/1.1\r\nHost: ${name}.example.com\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
          })
          .join('');
        // What is answered already may make the connection move while the rest comes.
        for (let from = 0; from < bytes.length;) {
          const to = random(2) === 0 ? bytes.length : from + 1 + random(bytes.length - from);
          visitor.socket.write(bytes.slice(from, to));
          from = to;
          // oxlint-disable-next-line no-await-in-loop
          if (from < bytes.length) await new Promise((resolve) => setTimeout(resolve, random(3)));
        }
        // oxlint-disable-next-line no-await-in-loop
        for (const path of paths) expect(await visitor.answer()).toMatch(new RegExp(`^${name} ${path} x*\\.$`));
      }
    }),
  );
  expect(await moved()).toBeGreaterThan(before);
});

test('a connection that has moved can be upgraded, and ended', async () => {
  const visitors = await dozen();
  await settle(visitors, 'two');
  await settle(visitors, 'one');
  for (const [n, { socket }] of visitors.entries()) {
    if (n % 2 === 0) {
      socket.removeAllListeners('data');
      socket.write(
        'GET /ws HTTP/1.1\r\nHost: one.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      );
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString('latin1')));
      // oxlint-disable no-await-in-loop
      await until(() => text.endsWith('\r\n\r\n'));
      expect(text).toMatch(/^HTTP\/1\.1 101 /);
      text = '';
      // "hi", masked with zeros, and what comes back.
      socket.write(Buffer.from([0x82, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
      await until(() => text === '\x82\x02hi');
    } else {
      socket.write(get('one', '/slow-end').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
      expect(await visitors[n]?.answer()).toBe('one /slow-end .');
      await until(() => socket.readableEnded || socket.destroyed);
      // oxlint-enable no-await-in-loop
    }
  }
});

test('a visitor of both agents in turn stays where it is', async () => {
  const before = await moved();
  const visitor = await Visitor.come();
  for (let n = 0; n < 2 * MANY; n++) {
    const name = NAMES[n % 2] ?? '';
    // oxlint-disable-next-line no-await-in-loop
    expect(await visitor.ask(name, `/${n}`)).toBe(`${name} /${n} .`);
  }
  expect(await moved()).toBe(before);
});

describe('the worker that they move to is killed', () => {
  test('who is on the way is answered or cut off, and nobody gets what is not his', async () => {
    const state = { over: false };
    const wrong: string[] = [];
    const lasting = Array.from({ length: VISITORS - 2 }, async (_, at) => {
      let served = 0;
      for (let life = 0; !state.over || served < 2 * MANY; life++) {
        // oxlint-disable no-await-in-loop
        const visitor = await Visitor.come();
        for (let n = 0; !state.over || served < 2 * MANY; n++) {
          const path = `/${at}/${life}/${n}`;
          const answer = await visitor.ask('one', path);
          if (answer === '') break;
          if (answer === `one ${path} .`) served = state.over ? served + 1 : 0;
          // The agent is away, and comes back.
          else if (!/^50[0-9]$/.test(answer)) wrong.push(answer);
        }
        // oxlint-enable no-await-in-loop
        visitor.socket.destroy();
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 40));
    process.kill(workersOf().pids.get(holderOf('one')) ?? 0, 'SIGKILL');
    await until(async () => (await metric(platform, 'postern_lost_workers_total')) === 1);
    await until(async () => (await metric(platform, 'postern_workers')) === 2);
    await until(async () => (await metric(platform, 'postern_agent_sessions')) === 2);
    state.over = true;
    await Promise.all(lasting);
    expect(wrong).toEqual([]);
    expect(await metric(platform, 'postern_faults_total{where="edge"}')).toBe(0);
  });
});
