import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AddressRound } from './address-round.ts';
import { Alertness } from './alertness.ts';
import type { AgentOptions, AgentSession, AgentStatus } from './options.ts';
import { connectAgent } from './session.ts';
import { TEST_CERT } from './testing/identity.ts';
import { TestServer } from './testing/server.ts';

let servers: TestServer[];
let sessions: AgentSession[];

beforeEach(async () => {
  sessions = [];
  servers = [new TestServer(), new TestServer()];
  await Promise.all(servers.map((server) => server.listen()));
});

afterEach(async () => {
  await Promise.all(sessions.map((session) => session.close(0)));
  await Promise.all(servers.map((server) => server.close().catch(() => undefined)));
});

const upstream = 'http://127.0.0.1:1';

interface Connected {
  readonly session: AgentSession;
  readonly statuses: AgentStatus[];
  readonly until: (condition: () => boolean) => Promise<void>;
}

/** To both servers; what `until` asks is asked again whenever something was told. */
function connect(options: Partial<AgentOptions> = {}): Connected {
  const statuses: AgentStatus[] = [];
  let waiters: (() => void)[] = [];
  const wake = (): void => {
    for (const waiter of waiters.splice(0)) waiter();
  };
  const session = connectAgent({
    serverAddr: options.serverAddr ?? servers.map(({ addr }) => addr),
    ca: TEST_CERT,
    authtoken: 'token',
    random: () => 0,
    log: { debug: wake, info: wake, warn: wake },
    onLatency: wake,
    onStatus(status) {
      statuses.push(status);
      wake();
    },
    ...options,
  });
  for (const { behaviour } of servers) behaviour.onBound = () => setImmediate(wake);
  sessions.push(session);
  return {
    session,
    statuses,
    async until(condition) {
      while (!condition()) await new Promise<void>((resolve) => (waiters = [...waiters, resolve]));
    },
  };
}

const [first, second] = [() => servers[0] as TestServer, () => servers[1] as TestServer];

describe('several addresses', () => {
  test('the next one is dialled at once when one fails, and kept while it works', async () => {
    const { session, statuses } = connect({ serverAddr: ['127.0.0.1:1', second().addr] });
    await session.online();
    expect(session.legs).toMatchObject([{ address: second().addr, online: true }]);
    expect(statuses.map(({ state, retryIn }) => [state, retryIn])).toEqual([
      ['connecting', undefined],
      ['connecting', 50],
      ['online', undefined],
    ]);
    const listener = await session.listen({ upstream });
    expect(listener.id).toBe('ep_1');
  });

  test('an unknown authority at one address is not the last word, at all of them it is', async () => {
    const wrong = connect({ serverName: 'elsewhere.test' });
    await expect(wrong.session.online()).rejects.toThrow('elsewhere.test');
    const refusing = wrong.statuses.filter(({ state }) => state === 'connecting');
    expect(refusing.map(({ error }) => error?.message.slice(0, first().addr.length))).toEqual([
      undefined,
      first().addr,
    ]);
  });

  test('what no waiting changes about an authtoken ends it at the first', async () => {
    for (const { behaviour } of servers) behaviour.authError = () => 'Unknown.\n\nERR_NGROK_107\n';
    const { session } = connect();
    await expect(session.online()).rejects.toThrow('Unknown.');
    expect(second().sessions).toHaveLength(0);
  });

  test('a list has addresses, and sessions have a bound', () => {
    expect(() => connect({ serverAddr: [] })).toThrow('no address');
    expect(() => connect({ serverAddr: ['ok:1', 'http://x/y'] })).toThrow('not a port');
    expect(() => connect({ sessions: 5 })).toThrow('from 1 to 4');
    expect(() => connect({ proxy: 'ftp://x' })).toThrow('scheme ftp');
  });

  test('a round begins where the session does, and passes over what is taken', () => {
    const round = new AddressRound(['a', 'b', 'c'], 1);
    expect(round.pick(new Set())).toBe('b');
    expect(round.pick(new Set(['b']))).toBe('c');
    expect(round.failed()).toBe(false);
    expect(round.pick(new Set())).toBe('a');
    expect([round.failed(), round.failed()]).toEqual([false, true]);
    expect(round.pick(new Set(['a', 'b', 'c']))).toBe('c');
  });
});

describe('two sessions', () => {
  test('are two legs of one agent, at two addresses, and each has every endpoint', async () => {
    const { session, until } = connect({ sessions: 2 });
    const listener = await session.listen({ upstream });
    await until(() => second().sessions[0]?.binds.length === 1);
    expect(first().newest.auth).toMatchObject({ clientId: '', legNumber: 0 });
    expect(second().newest.auth).toMatchObject({ clientId: 'client-1', cookie: 'cookie-1', legNumber: 1 });
    expect(second().newest.binds[0]).toMatchObject({ id: listener.id, token: `token-${listener.id}` });
    await listener.close();
    expect([first().newest.unbound, second().newest.unbound]).toEqual([[listener.id], [listener.id]]);
  });

  test('one that dies is no news for the session, and comes back with what is bound by then', async () => {
    const { session, statuses, until } = connect({ sessions: 2 });
    await session.online();
    await until(() => session.legs.every(({ online }) => online));
    first().cut();
    await until(() => !session.legs.every(({ online }) => online));
    const listener = await session.listen({ upstream });
    await until(() => first().newest.binds.length === 1);
    expect(first().newest.auth?.legNumber).toBe(0);
    expect(first().newest.binds[0]?.id).toBe(listener.id);
    expect(statuses.map(({ state }) => state)).toEqual(['connecting', 'online']);
  });

  test('both lost at once come back to two addresses, however often the attempts failed', async () => {
    const { session, until } = connect({ sessions: 2 });
    await session.listen({ upstream });
    await until(() => session.legs.every(({ online }) => online));
    let refused = 0;
    for (const { behaviour } of servers) behaviour.authError = () => (++refused <= 5 ? 'not now' : '');
    for (const server of servers) server.cut();
    await until(() => session.legs.some(({ online }) => !online));
    await until(() => session.legs.every(({ online }) => online));
    expect(refused).toBeGreaterThan(5);
    expect(new Set(session.legs.map(({ address }) => address)).size).toBe(2);
  });

  test('with one address both are there', async () => {
    const { session, until } = connect({ sessions: 2, serverAddr: first().addr });
    await session.listen({ upstream });
    await until(() => first().sessions.every(({ binds }) => binds.length === 1) && first().sessions.length === 2);
  });

  test('an address of another server is told, and left out', async () => {
    const words: string[] = [];
    let enough: () => void = () => {};
    const told = new Promise<void>((resolve) => (enough = resolve));
    second().behaviour.clientId = () => 'client-of-somebody-else';
    const log = {
      debug: () => {},
      warn: () => {},
      info(fields: object) {
        if ('error' in fields) words.push(String(fields.error));
        if (words.length > 0) enough();
      },
    };
    const { session } = connect({ sessions: 2, log });
    await told;
    expect(words[0]).toBe(`${second().addr} is another server than the one of the session that is up`);
    expect(session.state).toBe('online');
  });
});

describe('a path that died without a word', () => {
  test('is replaced as soon as another one answers first', async () => {
    first().behaviour.echoHeartbeats = false;
    const { session, statuses, until } = connect({ serverAddr: first().addr });
    const listener = await session.listen({ upstream });
    first().behaviour.echoHeartbeats = true;
    const [before] = first().sessions;
    await until(() => first().newest !== before && first().newest.binds.length === 1);
    expect(first().newest.binds[0]?.id).toBe(listener.id);
    expect(first().newest.auth?.clientId).toBe('client-1');
    // It was never offline.
    expect(statuses.map(({ state }) => state)).toEqual(['connecting', 'online']);
    await until(() => before?.socket.destroyed === true);
  });

  test('is kept while nothing answers sooner', async () => {
    first().behaviour.echoHeartbeats = false;
    const { session, statuses } = connect({ serverAddr: first().addr });
    await session.online();
    const asked = new Promise<void>((resolve) => (first().behaviour.onSession = () => resolve()));
    await asked;
    expect(session.state).toBe('online');
    expect(statuses).toHaveLength(2);
  });
});

describe('a machine that', () => {
  const clocks = { now: 0, wall: 1_000_000, networks: '10.0.0.1' };
  let told: string[];
  let alertness: Alertness;
  const tick = (monotonic: number, wall = monotonic): void => {
    clocks.now += monotonic;
    clocks.wall += wall;
    alertness.tick();
  };

  beforeEach(() => {
    told = [];
    alertness = new Alertness(
      (reason) => told.push(reason),
      () => told.push('.'),
      { now: () => clocks.now, wall: () => clocks.wall, networks: () => clocks.networks },
    );
  });

  test('slept has a wall clock that ran ahead', () => {
    tick(1000);
    tick(1000, 60_000);
    tick(1000);
    expect(told).toEqual(['.', 'this machine slept', '.', '.']);
  });

  test('stood still has a tick that is late', () => {
    tick(1500);
    tick(30_000);
    expect(told).toEqual(['.', 'this machine slept', '.']);
  });

  test('has another address is in another network', () => {
    clocks.networks = '10.0.0.2';
    tick(1000);
    tick(1000);
    expect(told).toEqual(['the network of this machine changed', '.', '.']);
  });

  test('has its clock set back is asked nothing', () => {
    tick(1000, -3_600_000);
    expect(told).toEqual(['.']);
  });
});
