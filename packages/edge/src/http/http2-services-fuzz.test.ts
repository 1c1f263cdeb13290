/**
 * Visitors of both versions over HTTP/2 services that answer with any frames at all: every exchange ends, once, and
 * nobody takes half an answer for a whole one. Seeded (POSTERN_SEED); POSTERN_FUZZ_SECONDS makes a long run of it.
 */
import { once } from 'node:events';
import { Agent, request as request1 } from 'node:http';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Dice, SEED } from '../testing/dice.ts';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { HostileAnswers, serveHostile } from '../testing/hostile-http2.ts';
import { NativeLife } from './codec/http2-native-life.ts';
import { endReset } from './codec/http2-no-error.ts';
import { dial, type Harness, harness } from '../testing/http-harness.ts';
import { rawService, type Service } from '../testing/services.ts';

const SECONDS = Number(process.env['POSTERN_FUZZ_SECONDS'] ?? 3);
const LEAST_CASES = 10;
const LANES = 6;
/** Far beyond every deadline that an exchange here has. */
const BOUND_MS = 30_000;
const IDLE_MS = 300;
/** What may be held more at the end of a long run than after its first cases. */
const WARM_UP = 200;
const GROWTH_BYTES = 24 * 1024 * 1024;

interface Result {
  readonly status: number;
  readonly mark: number;
  readonly code: string;
  readonly bytes: number;
  /** The visitor has no reason to doubt that this is all of the answer. */
  readonly complete: boolean;
}
const NONE: Result = { status: 0, mark: 0, code: '', bytes: 0, complete: false };

interface Wish {
  readonly method: 'GET' | 'POST' | 'HEAD';
  readonly path: string;
  readonly parts: readonly Buffer[];
  readonly length: boolean;
  /** Leaves after so long; -1 = stays. */
  readonly leaveMs: number;
  readonly slow: boolean;
}

function wish(dice: Dice, path: string): Wish {
  const method = dice.pick<Wish['method']>(['GET', 'GET', 'POST', 'POST', 'HEAD']);
  const sizes = method === 'POST' ? Array.from({ length: dice.below(4) }, () => dice.pick([0, 1, 1_000, 70_000])) : [];
  return {
    method,
    path,
    parts: sizes.map((size) => Buffer.alloc(size, 'b')),
    length: dice.once(2),
    leaveMs: dice.once(5) ? dice.below(30) : -1,
    slow: dice.once(5),
  };
}

const lengthOf = (parts: readonly Buffer[]): number => parts.reduce((sum, part) => sum + part.length, 0);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function visit1(port: number, agent: Agent, { method, path, parts, length, leaveMs, slow }: Wish): Promise<Result> {
  const { promise, resolve } = Promise.withResolvers<Result>();
  const headers: Record<string, string> = { host: 'app.test' };
  if (length && method === 'POST') headers['content-length'] = String(lengthOf(parts));
  const request = request1({ port, host: '127.0.0.1', agent, method, path, headers });
  let answered = false;
  request.on('response', (response) => {
    answered = true;
    let bytes = 0;
    response.on('error', () => {});
    response.on('data', (part: Buffer) => {
      bytes += part.length;
      if (!slow) return;
      response.pause();
      setTimeout(() => response.resume(), 5);
    });
    response.on('close', () =>
      resolve({
        status: response.statusCode ?? 0,
        mark: Number(response.headers['x-mark'] ?? 0),
        code: text(response.headers['ngrok-error-code']),
        bytes,
        complete: response.complete,
      }),
    );
  });
  request.on('error', () => {});
  request.on('close', () => answered || resolve(NONE));
  void send(request, parts, slow);
  if (leaveMs >= 0) setTimeout(() => request.destroy(), leaveMs);
  return promise;
}

function visit2(
  session: ClientHttp2Session,
  life: NativeLife,
  { method, path, parts, length, leaveMs, slow }: Wish,
): Promise<Result> {
  if (session.destroyed || session.closed) return Promise.resolve(NONE);
  const { promise, resolve } = Promise.withResolvers<Result>();
  const headers: Record<string, string> = { ':method': method, ':path': path, ':authority': 'app.test' };
  if (length && method === 'POST') headers['content-length'] = String(lengthOf(parts));
  const stream = session.request(headers, { endStream: method !== 'POST' });
  const seen = { status: 0, mark: 0, code: '', bytes: 0 };
  let ended = false;
  stream.on('response', (fields) => {
    seen.status = fields[':status'] ?? 0;
    seen.mark = Number(fields['x-mark'] ?? 0);
    seen.code = text(fields['ngrok-error-code']);
  });
  stream.on('data', (part: Buffer) => {
    seen.bytes += part.length;
    if (!slow) return;
    stream.pause();
    setTimeout(() => stream.resume(), 5);
  });
  stream.on('end', () => {
    ended = true;
    endReset(stream);
  });
  stream.on('error', () => {});
  stream.on('close', () => life.outlive(stream));
  stream.on('close', () =>
    resolve({ ...seen, complete: ended && !stream.aborted && stream.rstCode === constants.NGHTTP2_NO_ERROR }),
  );
  if (method === 'POST') void send(stream, parts, slow);
  if (leaveMs >= 0) setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), leaveMs);
  return promise;
}

interface Sendable {
  readonly writable: boolean;
  write(part: Buffer): unknown;
  end(): unknown;
}

async function send(to: Sendable, parts: readonly Buffer[], slow: boolean): Promise<void> {
  for (const part of parts) {
    // An empty piece is never written to the end by the runtime's client when the peer wants no more, nor its stream closed.
    if (to.writable && part.length > 0) to.write(part);
    if (slow) await pause(3);
  }
  to.end();
}

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');
async function held(): Promise<number> {
  // What finalizers hold is let go of a turn after the collection that they are for.
  for (let time = 0; time < 3; time++) {
    collect();
    await pause(10);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe.each([1, 2])('HTTP/%i visitors of hostile HTTP/2 services', (version) => {
  const answers = new HostileAnswers();
  const from = new Dice(SEED + version);
  let service: Service;
  let edge: Harness & AsyncDisposable;

  beforeAll(async () => {
    service = await rawService((socket) => serveHostile(socket, new Dice(from.next()), answers));
    const limits = { idleMs: IDLE_MS, stallMs: IDLE_MS, upstreamIdleMs: 100 };
    edge = await harness({ http2: version === 2, limits, agents: { s1: dial(service.port) } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1', { protocol: 'http2' })] }));
  });
  afterAll(async () => {
    await edge[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  /** A few requests of one visitor, several at once. */
  async function visits(wishes: readonly Wish[], open: Set<string>): Promise<readonly Result[]> {
    const noted = async (asked: Wish, result: Promise<Result>): Promise<Result> => {
      open.add(asked.path);
      const ended = await result;
      open.delete(asked.path);
      return ended;
    };
    if (version === 1) {
      const agent = new Agent({ keepAlive: true, maxSockets: 2 });
      try {
        return await Promise.all(wishes.map((asked) => noted(asked, visit1(edge.port, agent, asked))));
      } finally {
        agent.destroy();
      }
    }
    const session = connect(`http://127.0.0.1:${edge.port}`);
    session.on('error', () => {});
    try {
      await once(session, 'connect');
      const life = new NativeLife(session);
      return await Promise.all(wishes.map((asked) => noted(asked, visit2(session, life, asked))));
    } finally {
      session.destroy();
    }
  }

  function judge({ method, leaveMs }: Wish, { status, mark, code, bytes, complete }: Result): string {
    if (!complete) return '';
    if (mark === 0) return code === '' ? `an answer of nobody: ${status}` : '';
    const said = answers.said.get(mark);
    if (said === undefined) return 'an answer that was never given';
    if (method === 'HEAD' || leaveMs >= 0) return '';
    // Behind a Content-Length nothing is missing, however the service ended.
    const whole = said.declared === -1 ? said.ended && !said.spoilt : said.declared === said.bytes;
    if (!whole) return `half an answer taken for complete: ${JSON.stringify(said)}`;
    return bytes === said.bytes ? '' : `${bytes} bytes of ${said.bytes}`;
  }

  async function one(dice: Dice, name: string): Promise<void> {
    const wishes = Array.from({ length: 1 + dice.below(6) }, (_, at) => wish(dice, `/${name}/${at}`));
    const late = new AbortController();
    const open = new Set<string>();
    const results = await Promise.race([
      visits(wishes, open),
      pause(BOUND_MS, null, { signal: late.signal }).catch(() => null),
    ]);
    late.abort();
    expect(
      results,
      `${name}: what does not end: ${[...open].join()}; ended: ${JSON.stringify(edge.events)}`,
    ).not.toBeNull();
    for (const [at, asked] of wishes.entries()) {
      const problem = judge(asked, results?.[at] ?? NONE);
      expect(problem, `${name}/${at}: ${asked.method} ${JSON.stringify(results?.[at])}`).toBe('');
      const path = asked.path;
      const ends = (): number => edge.events.filter((event) => event.path === path).length;
      const known = results?.[at]?.status !== 0 && asked.leaveMs < 0;
      // Polled by hand: what the test runner polls it keeps to the end of the test, which may be half an hour away.
      if (known) {
        const until = performance.now() + BOUND_MS;
        while (ends() === 0 && performance.now() < until) await pause(2);
        expect(ends(), `ends of ${path}`).toBe(1);
      }
      expect(ends(), `ends of ${path}`).toBeLessThan(2);
    }
    expect(edge.context.faults.count, `${name}: a mistake of ours`).toBe(0);
  }

  test(
    `end once and whole (seed ${SEED})`,
    async () => {
      const until = performance.now() + (SECONDS * 1_000) / 2;
      let cases = 0;
      let before = 0;
      for (; cases < LEAST_CASES || performance.now() < until; cases += LANES) {
        // Most of a case is waiting for deadlines.
        const first = cases;
        const lanes = Array.from({ length: LANES }, (_, lane) => first + lane);
        await Promise.all(
          lanes.map((number) => one(new Dice(SEED * 1_000_003 + number * 2 + version), `seed-${SEED}-case-${number}`)),
        );
        edge.events.length = 0;
        answers.said.clear();
        if (before === 0 && cases > WARM_UP) before = await held();
      }
      await expect.poll(() => edge.agents.get('s1')?.server.streamCount).toBe(0);
      if (cases > 2 * WARM_UP) expect((await held()) - before, 'bytes left behind').toBeLessThan(GROWTH_BYTES);
      process.stdout.write(`HTTP/${version} visitors of hostile services: ${cases} cases, seed ${SEED}\n`);
    },
    SECONDS * 1_000 + 300_000,
  );
});
