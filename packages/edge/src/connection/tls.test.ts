import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { connect as tlsConnect, createServer as createTlsServer } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { selfSigned } from '../testing/certificate.ts';
import {
  edgeHarness,
  eventually,
  readAll,
  readBytes,
  visitorConnections,
  WILDCARD_CERTIFICATE,
} from '../testing/edge-harness.ts';
import { echo, pipeTo } from '../testing/fake-agent.ts';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { helloBytes } from '../testing/hello-bytes.ts';

const OWN = selfSigned('own.example.test');
const CLIENT = selfSigned('client.example.test');
const STRANGER = selfSigned('stranger.example.test');

function policy(...actions: object[]): string {
  return JSON.stringify({ on_tcp_connect: [{ actions }] });
}

function forward(url: string, onError = 'halt'): object {
  return { type: 'forward-internal', config: { url, on_error: onError } };
}

function base64(text: string | undefined): string {
  return Buffer.from(text ?? '').toString('base64');
}

describe('tls endpoints', () => {
  test('pass the visitor’s own TLS through to the agent', async () => {
    const upstreamServer = createTlsServer({ cert: OWN.cert, key: OWN.key }, (socket) =>
      socket.on('error', () => {}).pipe(socket),
    );
    upstreamServer.listen(0, '127.0.0.1');
    await once(upstreamServer, 'listening');
    const address = upstreamServer.address();
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    agent.onStream(pipeTo(address !== null && typeof address === 'object' ? address.port : 0));
    await agent.bind('tls://own.example.test');
    const visitor = await harness.tls('own.example.test', { ca: OWN.cert });
    expect(visitor.getPeerX509Certificate()?.subject).toBe('CN=own.example.test');
    visitor.end('secret');
    expect(String(await readAll(visitor))).toBe('secret');
    expect(agent.headers[0]).toMatchObject({ proto: 'tls', passthroughTls: true });
    await eventually(async () => (await harness.control.events()).length === 1);
    expect((await harness.control.events())[0]).toMatchObject({
      kind: 'tls',
      host: 'own.example.test',
      reason: 'complete',
    });
    upstreamServer.close();
  });

  test.each([
    ['what gRPC asks for', ['h2'], 'h2'],
    ['HTTP/1.1 where both would do', ['h2', 'http/1.1'], 'http/1.1'],
    ['what only the service may know', ['postgresql'], 'postgresql'],
    ['nothing to who does not ask', [], false],
  ] as const)('that end at the edge offer %s', async (_, offered, chosen) => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    agent.onStream(echo);
    await agent.bind('tls://own.example.test', { TLSTermination: {} });
    const visitor = await harness.tls('own.example.test', { ALPNProtocols: [...offered] });
    expect(visitor.alpnProtocol).toBe(chosen);
    visitor.end('bytes');
    expect(String(await readAll(visitor))).toBe('bytes');
  });

  test.each([
    ['our certificate', {}, WILDCARD_CERTIFICATE],
    ['the agent’s certificate', { cert: OWN.cert, key: OWN.key }, OWN],
  ])('end at the edge with %s', async (_name, { cert, key }: { cert?: string; key?: string }, expected) => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    agent.onStream(echo);
    const termination = cert === undefined ? {} : { cert: base64(cert), key: base64(key) };
    await agent.bind('tls://own.example.test', { TLSTermination: termination });
    const visitor = await harness.tls('own.example.test', { ca: expected.cert });
    expect(visitor.getPeerX509Certificate()?.raw.equals(pemBytes(expected.cert))).toBe(true);
    visitor.end('plain');
    expect(String(await readAll(visitor))).toBe('plain');
    expect(agent.headers[0]).toMatchObject({ proto: 'tls', passthroughTls: false });
  });

  test('terminate-tls ends TLS by policy, with its own demands', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    agent.onStream(echo);
    harness.control.shapes.set('tls://mtls.example.test', {
      policy: policy({
        type: 'terminate-tls',
        config: { min_version: '1.3', mutual_tls_certificate_authorities: [CLIENT.cert] },
      }),
    });
    await agent.bind('tls://mtls.example.test');
    const good = await harness.tls('mtls.example.test', CLIENT);
    expect(good.getProtocol()).toBe('TLSv1.3');
    good.end('hi');
    expect(String(await readAll(good))).toBe('hi');
    // TLS 1.3 clients are done before the server has looked at their certificate.
    for (const options of [{}, STRANGER]) {
      const bad = await harness.tls('mtls.example.test', options);
      bad.end('hi');
      expect(await readAll(bad)).toHaveLength(0);
    }
    await expect(harness.tls('mtls.example.test', { ...CLIENT, maxVersion: 'TLSv1.2' })).rejects.toThrow();
    expect(agent.headers).toHaveLength(1);
  });

  test('a refused connection ends before the handshake', async () => {
    await using harness = await edgeHarness();
    await harness.control.push(
      endpoint('deny', 'tls', 'deny.example.test', {
        policy: policy({ type: 'restrict-ips', config: { deny: ['127.0.0.0/8'] } }),
      }),
      endpoint('close', 'tls', 'close.example.test', { policy: policy({ type: 'close-connection' }) }),
    );
    await expect(harness.tls('deny.example.test')).rejects.toThrow(/disconnected|ECONNRESET/);
    await expect(harness.tls('close.example.test')).rejects.toThrow(/disconnected|ECONNRESET/);
    await eventually(async () => (await harness.control.events()).length === 2);
    expect((await harness.control.events()).map((event) => event.reason)).toEqual(['refused', 'refused']);
  });
});

describe('cloud endpoints', () => {
  test('tls forwards the visitor’s TLS to an internal endpoint, tcp its bytes', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    agent.onStream(echo);
    await harness.control.push(
      endpoint('edge', 'tls', 'cloud.example.test', { kind: 'cloud', policy: policy(forward('tls://in.internal')) }),
      endpoint('hop', 'tls', 'in.internal', {
        kind: 'cloud',
        binding: 'internal',
        policy: policy({ type: 'terminate-tls' }, forward('tcp://db.internal:5432')),
      }),
      endpoint('db', 'tcp', 'db.internal', {
        binding: 'internal',
        port: 5432,
        upstreams: [upstream('ts_1', 'tunnel')],
      }),
    );
    const visitor = await harness.tls('cloud.example.test');
    visitor.end('query');
    expect(String(await readAll(visitor))).toBe('query');
    expect(agent.headers[0]).toMatchObject({ id: 'tunnel', proto: 'tcp', passthroughTls: false });
  });

  test('a forward that fails goes on behind it when told to', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    agent.onStream(echo);
    await harness.control.push(
      endpoint('edge', 'tls', 'cloud.example.test', {
        kind: 'cloud',
        policy: policy(
          { type: 'terminate-tls' },
          forward('tcp://gone.internal:1', 'continue'),
          forward('tcp://db.internal:5432'),
        ),
      }),
      endpoint('db', 'tcp', 'db.internal', {
        binding: 'internal',
        port: 5432,
        upstreams: [upstream('ts_1', 'tunnel')],
      }),
    );
    const visitor = await harness.tls('cloud.example.test');
    visitor.end('query');
    expect(String(await readAll(visitor))).toBe('query');
  });

  test('a loop of forwards ends with 3501', async () => {
    await using harness = await edgeHarness();
    await harness.control.push(
      endpoint('edge', 'tls', 'loop.example.test', { kind: 'cloud', policy: policy(forward('tls://loop.internal')) }),
      endpoint('loop', 'tls', 'loop.internal', {
        kind: 'cloud',
        binding: 'internal',
        policy: policy(forward('tls://loop.internal')),
      }),
    );
    await expect(harness.tls('loop.example.test')).rejects.toThrow(/access denied/i);
    expect((await harness.control.events())[0]?.errorCode).toBe('ERR_NGROK_3501');
  });

  test('forwarding to another protocol family or another account fails', async () => {
    await using harness = await edgeHarness();
    await harness.control.push(
      endpoint('a', 'tls', 'a.example.test', { kind: 'cloud', policy: policy(forward("${'https://web.internal'}")) }),
      endpoint('b', 'tls', 'b.example.test', { kind: 'cloud', policy: policy(forward('tls://theirs.internal')) }),
      endpoint('web', 'https', 'web.internal', { binding: 'internal' }),
      endpoint('theirs', 'tls', 'theirs.internal', { binding: 'internal', accountId: 'ac_2' }),
    );
    await expect(harness.tls('a.example.test')).rejects.toThrow();
    await expect(harness.tls('b.example.test')).rejects.toThrow();
    expect((await harness.control.events()).map((event) => event.errorCode)).toEqual([
      'ERR_NGROK_2226',
      'ERR_NGROK_3200',
    ]);
  });
});

describe('the TLS port', () => {
  test('a name without certificate, and no name at all, get unrecognized_name', async () => {
    await using harness = await edgeHarness();
    await expect(harness.tls('nobody.test')).rejects.toThrow(/unrecognized name/i);
    const socket = await harness.tcp(harness.edge.addresses.https.port);
    socket.write(helloBytes({}));
    expect(await readBytes(socket, 7)).toEqual(Buffer.from([21, 3, 3, 0, 2, 2, 112]));
  });

  test('sessions are resumed', async () => {
    await using harness = await edgeHarness();
    const first = await harness.tls('a.example.test', { maxVersion: 'TLSv1.2' });
    const session = first.getSession();
    if (session === undefined) throw new Error('no session');
    const second = await harness.tls('a.example.test', { maxVersion: 'TLSv1.2', session });
    expect(second.isSessionReused()).toBe(true);
  });

  test('a ticket of an earlier key is good for a full handshake only', async () => {
    await using harness = await edgeHarness();
    const ask = async (session?: Buffer): Promise<{ reused: boolean; session: Buffer }> => {
      const socket = await harness.tls('a.example.test', { maxVersion: 'TLSv1.2', ...(session ? { session } : {}) });
      return { reused: socket.isSessionReused(), session: socket.getSession() ?? Buffer.alloc(0) };
    };
    const first = await ask();
    expect((await ask(first.session)).reused).toBe(true);
    await harness.control.change({ webUrl: 'https://other.test/' });
    expect((await ask(first.session)).reused).toBe(true);
    const { keys } = harness.control.settings;
    await harness.control.change({ keys: { ...keys, tickets: randomBytes(32) } });
    expect((await ask(first.session)).reused).toBe(false);
  });

  test('a ClientHello that never ends is given up', async () => {
    await using harness = await edgeHarness({ limits: { clientHelloMs: 200 } });
    const socket = await harness.tcp(harness.edge.addresses.https.port);
    socket.write(helloBytes({ serverName: 'a.example.test' }).subarray(0, 40));
    expect(await readAll(socket)).toHaveLength(0);
  });

  test('a ClientHello that has come in time is read, however late the process is to look', async () => {
    // So much that it is sent in time, also where the edge is another process and this one busy.
    await using harness = await edgeHarness({ limits: { clientHelloMs: 1_000 } });
    const socket = await harness.tcp(harness.edge.addresses.https.port);
    await eventually(async () => (await visitorConnections(harness)) === 1);
    socket.write(helloBytes({ serverName: 'a.example.test' }));
    // Whoever else needs the processor: afterwards both wait, the bytes and the deadline.
    const end = performance.now() + 1_500;
    while (performance.now() < end);
    expect((await readBytes(socket, 1)).length).toBeGreaterThan(0);
  });

  test('a handshake that never ends is given up', async () => {
    await using harness = await edgeHarness({ limits: { tlsHandshakeMs: 300 } });
    const socket = await harness.tcp(harness.edge.addresses.https.port);
    socket.write(helloBytes({ serverName: 'a.example.test' }));
    await readAll(socket);
    await eventually(async () => (await visitorConnections(harness)) === 0);
  });
});

test('rules see how a client greets, before the handshake and in requests', async () => {
  await using harness = await edgeHarness();
  const seen = '${conn.tls.ja4_fingerprint} ${req.user_agent.name} ${req.user_agent.version}';
  const rules = {
    // Node's clients offer 1.3 by name; who offers 1.2 only is not let in.
    on_tcp_connect: [
      { expressions: ["!conn.tls.ja4_fingerprint.startsWith('t13d')"], actions: [{ type: 'close-connection' }] },
    ],
    on_http_request: [{ actions: [{ type: 'custom-response', config: { body: seen } }] }],
  };
  await harness.control.push(
    endpoint('e', 'https', 'cloud.example.test', { kind: 'cloud', policy: JSON.stringify(rules) }),
  );
  const visitor = await harness.tls('cloud.example.test', { ALPNProtocols: ['http/1.1'] });
  visitor.end('GET / HTTP/1.1\r\nHost: cloud.example.test\r\nUser-Agent: curl/8.4.0\r\nConnection: close\r\n\r\n');
  expect(String(await readAll(visitor))).toMatch(/\r\n\r\nt13d\d{4}h1_[0-9a-f]{12}_[0-9a-f]{12} curl 8\.4\.0$/);
  await expect(harness.tls('cloud.example.test', { maxVersion: 'TLSv1.2' })).rejects.toThrow();
});

describe('a name whose TLS an agent ends', () => {
  test.each([['away.example.test'], ['*.example.test']])(
    '%s is nobody else’s to end while it is away',
    async (host) => {
      await using harness = await edgeHarness();
      const visit = async (): Promise<boolean> => (await harness.tls('away.example.test')).authorized;
      expect(await visit()).toBe(true);
      await harness.control.push(endpoint('ep_1', 'tls', host, { tls: { at: 'agent' } }));
      await harness.control.remove('ep_1');
      await expect(visit()).rejects.toThrow(/unrecognized name/i);
      // Another endpoint of the name decides again.
      await harness.control.push(endpoint('ep_2', 'https', host));
      await harness.control.remove('ep_2');
      expect(await visit()).toBe(true);
      await harness.control.push(endpoint('ep_3', 'tls', host, { tls: { at: 'edge', cert: null, key: null } }));
      await harness.control.remove('ep_3');
      expect(await visit()).toBe(true);
    },
  );
});

describe('the wrong protocol', () => {
  const request = 'GET / HTTP/1.1\r\nHost: a.example.test\r\n\r\n';

  test('plain HTTP on the TLS port is told so', async () => {
    await using harness = await edgeHarness();
    for (const port of [harness.edge.addresses.https.port, harness.edge.addresses.agents.port]) {
      const socket = await harness.tcp(port);
      socket.write(request);
      const answer = String(await readAll(socket));
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(answer).toContain('ngrok-error-code: ERR_NGROK_90006');
    }
  });

  test('TLS on the HTTP port is told so', async () => {
    await using harness = await edgeHarness();
    const socket = await harness.tcp(harness.edge.addresses.http.port);
    socket.write(helloBytes({ serverName: 'a.example.test' }));
    expect(String(await readAll(socket))).toMatch(/^HTTP\/1\.1 400 [^]*ERR_NGROK_90007/);
  });

  test('HTTP over TLS on the agent port is told so', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.dialAgent();
    agent.socket.removeAllListeners('data');
    agent.socket.write(request);
    expect(String(await readAll(agent.socket))).toMatch(/^HTTP\/1\.1 400 [^]*tunnel agents/);
  });

  test('rubbish on the TLS port gets a decode error', async () => {
    await using harness = await edgeHarness();
    const socket = await harness.tcp(harness.edge.addresses.https.port);
    socket.write(Buffer.from([0, 1, 2, 3, 4, 5]));
    expect(await readBytes(socket, 7)).toEqual(Buffer.from([21, 3, 3, 0, 2, 2, 50]));
  });
});

function pemBytes(pem: string): Buffer {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
}

test('a TLS error in the segment of the client’s Finished ends the connection, not the deadline of a head', async () => {
  await using harness = await edgeHarness({ limits: { requestHeadMs: 600_000, idleMs: 600_000 } });
  // A record that cannot be decrypted, behind what the client sends second: its ChangeCipherSpec and its Finished.
  const broken = Buffer.concat([Buffer.from([23, 3, 3, 0, 32]), Buffer.alloc(32)]);
  const gone = Promise.withResolvers<void>();
  const between = createServer((client) => {
    const edge = connect(harness.edge.addresses.https.port, '127.0.0.1');
    let flights = 0;
    client.on('error', () => {});
    edge.on('error', () => {});
    client.on('data', (flight) => edge.write(++flights === 2 ? Buffer.concat([flight, broken]) : flight));
    edge.on('data', (answer) => client.write(answer));
    edge.on('close', () => {
      client.destroy();
      gone.resolve();
    });
  });
  between.listen(0, '127.0.0.1');
  await once(between, 'listening');
  const address = between.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const visitor = tlsConnect({
    host: '127.0.0.1',
    port,
    servername: 'own.example.test',
    ca: WILDCARD_CERTIFICATE.cert,
  });
  visitor.on('error', () => {});
  await gone.promise;
  visitor.destroy();
  between.close();
});
