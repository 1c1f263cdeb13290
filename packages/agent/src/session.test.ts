import { encodeCommand, encodeStopTunnel, encodeUpdate, MuxErrorCode, StreamType } from '@postern/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentError } from './agent-error.ts';
import { Backoff } from './backoff.ts';
import type { AgentOptions, AgentSession, AgentStatus } from './options.ts';
import { connectAgent } from './session.ts';
import { TEST_CERT } from './testing/identity.ts';
import { TestServer } from './testing/server.ts';

let server: TestServer;
let sessions: AgentSession[];

beforeEach(async () => {
  server = new TestServer();
  sessions = [];
  await server.listen();
});

afterEach(async () => {
  await Promise.all(sessions.map((session) => session.close(0)));
  await server.close();
});

interface Watched {
  session: AgentSession;
  statuses: AgentStatus[];
  until: (condition: (status: AgentStatus) => boolean) => Promise<AgentStatus>;
}

function connect(options: Partial<AgentOptions> = {}): Watched {
  const statuses: AgentStatus[] = [];
  let waiters: (() => void)[] = [];
  const session = connectAgent({
    serverAddr: options.serverAddr ?? server.addr,
    ca: TEST_CERT,
    authtoken: 'token',
    random: () => 0,
    onStatus(status) {
      statuses.push(status);
      for (const waiter of waiters.splice(0)) waiter();
    },
    ...options,
  });
  sessions.push(session);
  return {
    session,
    statuses,
    async until(condition) {
      for (;;) {
        const found = statuses.find(condition);
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => (waiters = [...waiters, resolve]));
      }
    },
  };
}

const upstream = 'http://127.0.0.1:1';

describe('connecting', () => {
  test('authenticates with what it is, and beats', async () => {
    const beats: number[] = [];
    let beaten: (() => void) | undefined;
    const first = new Promise<void>((resolve) => (beaten = resolve));
    const { session, statuses } = connect({
      metadata: 'm',
      heartbeatInterval: 7000,
      onLatency(milliseconds) {
        beats.push(milliseconds);
        beaten?.();
      },
    });
    await session.online();
    expect(statuses.map((status) => status.state)).toEqual(['connecting', 'online']);
    expect(statuses[1]?.server?.region).toBe('test');
    expect(server.newest.auth).toMatchObject({
      versions: ['3', '2'],
      authtoken: 'token',
      metadata: 'm',
      clientId: '',
      heartbeatInterval: 7000,
      stopUnsupported: '',
      clientType: 'postern-agent',
    });
    await first;
    expect(session.latency).toBe(beats[0]);
  });

  test('a refused authtoken ends it', async () => {
    server.behaviour.authError = () => 'The authtoken is not known here.\n\nERR_NGROK_107\n';
    const { session, statuses } = connect();
    await expect(session.online()).rejects.toThrow('The authtoken is not known here.');
    const error = await session.closed;
    expect(error?.code).toBe('ERR_NGROK_107');
    expect(statuses.at(-1)).toEqual({ state: 'closed', error });
  });

  test('other refusals are tried again', async () => {
    let attempts = 0;
    server.behaviour.authError = () => (++attempts === 1 ? 'Too many.\n\nERR_NGROK_108\n' : '');
    const { session, statuses } = connect();
    await session.online();
    expect(statuses[1]).toMatchObject({ state: 'connecting', retryIn: 50 });
    expect(statuses[1]?.error?.code).toBe('ERR_NGROK_108');
  });

  test('a server that is not there is waited for', async () => {
    const { port, addr } = server;
    await server.close();
    const { session, until } = connect({ serverAddr: addr });
    await until((status) => status.error !== undefined);
    server = new TestServer();
    await server.listen(port);
    await session.online();
  });

  test('a certificate of another authority is not accepted', async () => {
    const { until } = connect({ serverName: 'elsewhere.test' });
    const { error } = await until((status) => status.error !== undefined);
    expect(error?.message).toMatch(/elsewhere\.test/);
    expect(server.sessions.every((session) => session.auth === undefined)).toBe(true);
  });

  test('an authority may have words around it', async () => {
    await connect({ ca: `# of the tests\n${TEST_CERT}\n# and again\n${TEST_CERT}` }).session.online();
  });

  test('an authority that is no PEM is refused at once', () => {
    expect(() => connect({ ca: 'hello' })).toThrow('"ca" is not a list of PEM certificates.');
    expect(() => connect({ serverAddr: 'https://x' })).toThrow(/not a port/);
  });

  test('close while dialling', async () => {
    const { session } = connect();
    const waiting = session.online();
    await session.close();
    await expect(waiting).rejects.toThrow('closed');
    expect(await session.closed).toBeUndefined();
  });
});

describe('listening', () => {
  test('binds with everything that was asked for', async () => {
    const { session } = connect();
    const listener = await session.listen({
      url: 'https://app.internal',
      upstream,
      name: 'n',
      description: 'd',
      metadata: 'm',
      poolingEnabled: true,
      trafficPolicy: '{}',
      forwardsProto: 'http2',
      proxyProto: 2,
    });
    expect(listener).toMatchObject({ id: 'ep_1', url: 'https://app.internal', proto: 'https' });
    expect(server.newest.binds[0]).toMatchObject({
      id: '',
      proto: 'https',
      forwardsTo: upstream,
      forwardsProto: 'http2',
      bindings: ['internal'],
      poolingEnabled: true,
      name: 'n',
      description: 'd',
      metadata: 'm',
      opts: { url: 'https://app.internal', proxyProto: 2, trafficPolicy: '{}' },
    });
    expect(session.listeners).toEqual([listener]);
  });

  test('protocols and special options', async () => {
    const { session } = connect();
    await session.listen({ upstream: 'tcp://127.0.0.1:1' });
    await session.listen({
      url: 'tls://a.test',
      upstream: 'tcp://127.0.0.1:1',
      tlsTermination: { cert: 'C', key: 'K' },
    });
    await session.listen({ proto: 'http', url: 'http://', domain: 'b.test', upstream });
    const labelled = await session.listen({ labels: { edge: 'e' }, upstream });
    const [tcp, tls, http] = server.newest.binds;
    expect(tcp).toMatchObject({ proto: 'tcp', opts: { proxyProto: 0 } });
    expect(tls).toMatchObject({ proto: 'tls', opts: { url: 'tls://a.test', tlsTermination: { cert: 'C', key: 'K' } } });
    expect(http?.opts).toEqual({ domain: 'b.test', proxyProto: 0 });
    expect(server.newest.labels[0]).toMatchObject({ labels: { edge: 'e' }, forwardsTo: upstream });
    expect(labelled).toMatchObject({ id: 'lb_4', url: '' });
  });

  test('a refusal is the answer, and the session lives', async () => {
    server.behaviour.bindError = () => '"https://a" is taken.\n\nERR_NGROK_334\n';
    const { session } = connect();
    const refused = session.listen({ url: 'https://a', upstream });
    await expect(refused).rejects.toMatchObject({ message: '"https://a" is taken.', code: 'ERR_NGROK_334' });
    expect(session.state).toBe('online');
    expect(session.listeners).toEqual([]);
  });

  test('an upstream that is no address is refused at once', async () => {
    const { session } = connect();
    await expect(session.listen({ upstream: 'localhost' })).rejects.toThrow(/not of the form/);
    await expect(session.listen({ upstream, upstreamCa: 'x' })).rejects.toThrow('"upstreamCa" is not');
  });

  test('close unbinds', async () => {
    const { session } = connect();
    const listener = await session.listen({ upstream });
    await listener.close();
    await listener.close();
    expect(server.newest.unbound).toEqual(['ep_1']);
    expect(await listener.closed).toBeUndefined();
    expect(session.listeners).toEqual([]);
  });

  test('closing the session unbinds and says goodbye', async () => {
    const { session } = connect();
    const listener = await session.listen({ upstream });
    await session.close();
    expect(server.newest.unbound).toEqual(['ep_1']);
    expect(server.newest.goneAway).toBe(true);
    expect(await listener.closed).toBeUndefined();
    expect(session.state).toBe('closed');
    await expect(session.listen({ upstream })).rejects.toThrow('the session is closed');
  });
});

describe('coming back', () => {
  test('with the same client, listeners and options', async () => {
    const { session, until, statuses } = connect();
    const listener = await session.listen({ upstream });
    const [first] = server.sessions;
    const rebound = new Promise((resolve) => (server.behaviour.onBound = resolve));
    server.cut();
    await until((status) => status.state === 'reconnecting');
    await rebound;
    expect(server.newest.auth).toMatchObject({ clientId: 'client-1', cookie: 'cookie-1' });
    expect(server.newest.binds[0]).toMatchObject({ id: 'ep_1', token: 'token-ep_1' });
    expect(server.newest.binds[0]?.rawOpts).toMatchObject({ ...first?.binds[0]?.rawOpts });
    expect(listener.id).toBe('ep_1');
    expect(statuses.map((status) => status.state)).toEqual(['connecting', 'online', 'reconnecting', 'online']);
    expect(statuses[2]?.retryIn).toBe(50);
  });

  test('an Auth error is no longer fatal then, nor is a bind error', async () => {
    const { session, until } = connect();
    await session.listen({ upstream });
    let auths = 0;
    let binds = 0;
    server.behaviour.authError = () => (++auths === 1 ? 'gone\nERR_NGROK_107\n' : '');
    server.behaviour.bindError = () => (++binds === 1 ? 'not yet' : '');
    const rebound = new Promise((resolve) => (server.behaviour.onBound = resolve));
    server.cut();
    await until((status) => status.error?.code === 'ERR_NGROK_107');
    await rebound;
    expect([auths, binds]).toEqual([2, 2]);
    expect(session.state).toBe('online');
  });

  test('a bind that was cut off is asked again', async () => {
    const { session } = connect();
    let cuts = 0;
    server.behaviour.onBound = (on) => {
      if (++cuts === 1) on.socket.destroy();
    };
    const listener = await session.listen({ upstream });
    expect(listener.id).toBe('ep_2');
  });

  test('silence of the server ends the connection', async () => {
    server.behaviour.echoHeartbeats = false;
    const { session, until } = connect({ heartbeatInterval: 20, heartbeatTolerance: 40 });
    await session.online();
    const { error } = await until((status) => status.state === 'reconnecting');
    expect(error?.message).toBe('the server was silent for 0.04 s');
    expect(session.state).not.toBe('closed');
  });

  test('delays double to half a minute where the server refuses, to one second where nobody answers', () => {
    const refused = new Backoff(() => 0);
    expect(Array.from({ length: 9 }, () => refused.next(true))).toEqual([
      50, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000,
    ]);
    const alone = new Backoff(() => 0);
    const delays = Array.from({ length: 187 }, () => alone.next(false));
    expect(delays.slice(0, 6)).toEqual([50, 500, 1000, 1000, 1000, 1000]);
    expect(delays.slice(180)).toEqual([1000, 1000, 2000, 4000, 8000, 16_000, 30_000]);
    expect(new Backoff(() => 0.999).next(false)).toBe(35);
    alone.reset();
    expect(alone.next(false)).toBe(50);
  });
});

describe('commands of the server', () => {
  test('stop closes the session after the answer', async () => {
    const { session } = connect();
    const listener = await session.listen({ upstream });
    expect(await server.command(StreamType.stop, encodeCommand())).toBe('');
    expect((await session.closed)?.message).toBe('the server asked this agent to stop');
    expect(await listener.closed).toBeInstanceOf(AgentError);
  });

  test('an owner may decide about stop itself', async () => {
    let asked = 0;
    const { session } = connect({ onStop: () => (asked += 1) });
    await session.online();
    await server.command(StreamType.stop, encodeCommand());
    await new Promise((resolve) => setImmediate(resolve));
    expect([asked, session.state]).toEqual([1, 'online']);
  });

  test('restart connects again', async () => {
    const { session, until } = connect();
    await session.listen({ upstream });
    const rebound = new Promise((resolve) => (server.behaviour.onBound = resolve));
    expect(await server.command(StreamType.restart, encodeCommand())).toBe('');
    await until((status) => status.state === 'reconnecting');
    await rebound;
  });

  test('update is refused with the reason; unknown messages too', async () => {
    const { session } = connect();
    await session.online();
    expect(await server.command(StreamType.update, encodeUpdate('9', false))).toMatch(/npm/);
    expect(await server.command(77, encodeCommand())).toMatch(/type 77/);
  });

  test('a listener can be stopped', async () => {
    const { session } = connect();
    const listener = await session.listen({ upstream });
    const stream = server.newest.mux.open(
      StreamType.stopTunnel,
      { onData() {}, onEnd() {}, onReset() {}, onDrain() {} },
      encodeStopTunnel('ep_1', 'Its domain was deleted.', 'ERR_NGROK_3200'),
    );
    expect(await listener.closed).toMatchObject({ message: 'Its domain was deleted.', code: 'ERR_NGROK_3200' });
    expect(session.listeners).toEqual([]);
    stream.reset(MuxErrorCode.none);
  });
});
