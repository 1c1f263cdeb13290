import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { AGENT_NAME, edgeHarness, eventually, readAll, readBytes } from './testing/edge-harness.ts';
import { echo } from './testing/fake-agent.ts';
import { endpoint } from './testing/fixtures.ts';
import { freePort } from './testing/free-port.ts';

describe('tcp endpoints', () => {
  test('an agent binds one and its bytes go both ways, half-closed last', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    agent.onStream(echo);
    const port = await freePort();
    const bound = await agent.bind(`tcp://localhost:${port}`);
    expect(bound).toMatchObject({ url: `tcp://localhost:${port}`, proto: 'tcp', token: expect.any(String) });
    const visitor = await harness.tcp(port);
    visitor.end('hello');
    expect(String(await readAll(visitor))).toBe('hello');
    await eventually(async () => (await harness.control.events()).length === 1);
    expect(agent.headers[0]).toMatchObject({ id: bound.id, proto: 'tcp', edgeType: '0', passthroughTls: false });
    expect(agent.headers[0]?.clientAddr).toBe(
      `127.0.0.1:${(await harness.control.events())[0]?.clientAddr.split(':')[1]}`,
    );
    expect((await harness.control.events())[0]).toMatchObject({
      kind: 'tcp',
      bytesIn: 5,
      bytesOut: 5,
      reason: 'complete',
    });
  });

  test('the port is open while an endpoint holds it, and not a moment longer', async () => {
    await using harness = await edgeHarness();
    const port = await freePort();
    await harness.control.push(endpoint('ep_1', 'tcp', 'localhost', { port }));
    await harness.tcp(port);
    await harness.control.remove('ep_1');
    await expect(harness.tcp(port)).rejects.toThrow(/ECONNREFUSED/);
  });

  test('an update whose port is taken is rejected and changes nothing', async () => {
    await using harness = await edgeHarness();
    const port = await freePort();
    const blocker = createServer().listen(port, '127.0.0.1');
    await once(blocker, 'listening');
    const before = (await harness.edge.stats()).endpoints;
    const pushed = harness.control.push(endpoint('ep_1', 'tcp', 'localhost', { port }));
    await expect(pushed).rejects.toMatchObject({ name: 'PortsNotOpened' });
    await expect(pushed).rejects.toThrow(String(port));
    expect((await harness.edge.stats()).endpoints).toBe(before);
    blocker.close();
    await once(blocker, 'close');
    await harness.control.push(endpoint('ep_1', 'tcp', 'localhost', { port }));
    await harness.tcp(port);
  });

  test('megabytes arrive whole in both directions at once', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    agent.onStream(echo);
    const port = await freePort();
    await agent.bind(`tcp://localhost:${port}`);
    const visitor = await harness.tcp(port);
    const sent = Buffer.alloc(5_000_000);
    for (let i = 0; i < sent.length; i++) sent[i] = (i * 31 + (i >> 8)) & 0xff;
    const received = readAll(visitor);
    visitor.end(sent);
    expect((await received).equals(sent)).toBe(true);
  });

  test('without an online agent the visitor is closed, not kept', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    const port = await freePort();
    await agent.bind(`tcp://localhost:${port}`);
    const ended = harness.control.nextEnd();
    agent.close();
    await ended;
    const visitor = await harness.tcp(port);
    expect(await readAll(visitor)).toHaveLength(0);
    expect((await harness.control.events())[0]).toMatchObject({ reason: 'refused', errorCode: 'ERR_NGROK_3210' });
  });
});

describe('start and stop', () => {
  test('agents connect before the routes are loaded and are answered after', async () => {
    const gate = Promise.withResolvers<void>();
    await using harness = await edgeHarness({
      start: false,
      before: (control) => {
        control.gate = gate.promise;
      },
    });
    const started = harness.edge.start();
    await eventually(() => harness.control.port !== null);
    const agent = await harness.dialAgent();
    let answered = false;
    const auth = agent.auth().then((response) => {
      answered = true;
      return response;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(answered).toBe(false);
    expect(harness.edge.addresses.https.port).toBeGreaterThan(0);
    gate.resolve();
    await started;
    expect((await auth).sessionId).toBe('ts_1');
  });

  test('several addresses with port 0 share one port', async () => {
    const both = [
      { host: '127.0.0.1', port: 0 },
      { host: '127.0.0.2', port: 0 },
    ];
    await using harness = await edgeHarness({ addresses: { http: both } });
    for (const { host } of both) {
      const socket = connect({ host, port: harness.edge.addresses.http.port });
      await once(socket, 'connect');
      socket.destroy();
    }
  });

  test('a taken listener address rejects the start with the system error', async () => {
    await using first = await edgeHarness();
    const second = edgeHarness({ addresses: { https: [first.edge.addresses.https] } });
    await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('a start that fails turns away who was waiting and frees its ports', async () => {
    const gate = Promise.withResolvers<void>();
    await using harness = await edgeHarness({
      start: false,
      before: (control) => {
        control.gate = gate.promise;
      },
    });
    const started = harness.edge.start();
    const { port } = harness.edge.addresses.https;
    const visitor = await harness.tcp(port);
    await eventually(() => harness.control.port !== null);
    gate.reject(new Error('no database'));
    await expect(started).rejects.toThrow('no database');
    expect(await readAll(visitor)).toHaveLength(0);
    await expect(harness.tcp(port)).rejects.toThrow(/ECONNREFUSED/);
  });

  test('stop lets a connection finish, then closes agents, then nothing listens', async () => {
    await using harness = await edgeHarness({ limits: { drainMs: 5_000 } });
    const agent = await harness.agent();
    agent.onStream(echo);
    const port = await freePort();
    await agent.bind(`tcp://localhost:${port}`);
    const visitor = await harness.tcp(port);
    visitor.write('a');
    await readBytes(visitor, 1);
    const stopped = harness.edge.stop();
    await eventually(() =>
      harness.tcp(port).then(
        () => false,
        ({ code }) => code === 'ECONNREFUSED',
      ),
    );
    expect(harness.control.ended).toHaveLength(0);
    visitor.end('b');
    expect(String(await readAll(visitor))).toBe('b');
    await stopped;
    await agent.closed;
    expect(harness.control.ended).toEqual([{ sessionId: 'ts_1', reason: 'the server is stopping' }]);
    await expect(harness.dialAgent()).rejects.toThrow();
  });

  test('stop cuts what does not finish in time', async () => {
    await using harness = await edgeHarness({ limits: { drainMs: 100 } });
    const agent = await harness.agent();
    agent.onStream(echo);
    const port = await freePort();
    await agent.bind(`tcp://localhost:${port}`);
    const visitor = await harness.tcp(port);
    visitor.write('a');
    await readBytes(visitor, 1);
    await harness.edge.stop();
    await eventually(() => visitor.destroyed);
    await eventually(async () => (await harness.control.events()).at(-1)?.reason === 'shutdown');
  });
});

test('the agent port and the TLS port both take agents', async () => {
  await using harness = await edgeHarness();
  const direct = await harness.dialAgent(null);
  expect((await direct.auth()).sessionId).toBe('ts_1');
  const shared = await harness.dialAgent(AGENT_NAME, harness.edge.addresses.https.port);
  expect((await shared.auth()).sessionId).toBe('ts_2');
  expect((await harness.edge.stats()).agentSessions).toBe(2);
});
