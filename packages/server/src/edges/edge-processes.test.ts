/** Control here, edges in processes of their own: what the link must be good for before there are workers. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { connect as connectTls } from 'node:tls';
import path from 'node:path';
import { createControl, DEFAULT_LIMITS, type Control } from '@postern/control';
import {
  AGENT_CERTIFICATE,
  AGENT_NAME,
  edgeTestConfig,
  elsewhere,
  FakeAgent,
  pipeTo,
  WILDCARD_CERTIFICATE,
} from '@postern/edge/testing';
import type { EdgeUnderTest } from '@postern/edge/testing';
import { createMemoryRegistry } from '@postern/registry';
import { createIdSource, openStore } from '@postern/store';
import { afterAll, beforeAll, expect, test } from 'vitest';

const undo: (() => unknown)[] = [];
let control: Control;
let authtoken = '';
let apiKey = '';
const edges: EdgeUnderTest[] = [];

beforeAll(async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'postern-edges-'));
  undo.push(() => rm(directory, { recursive: true, force: true }));
  const ids = createIdSource({ now: Date.now });
  const store = await openStore({ directory, encryptionKey: randomBytes(32), now: Date.now, ids });
  undo.push(() => store.close());
  control = createControl({
    store,
    registry: await createMemoryRegistry({ now: Date.now }).join('local'),
    ids,
    randomBytes,
    now: Date.now,
    certificateFor: (name) =>
      Promise.resolve(
        name === AGENT_NAME ? AGENT_CERTIFICATE : name.endsWith('.example.test') ? WILDCARD_CERTIFICATE : null,
      ),
    log: { info() {}, warn() {}, error() {} },
    config: {
      baseDomains: ['example.test'],
      publicHttpPort: 80,
      publicHttpsPort: 443,
      tcpHost: 'localhost',
      tcpPortRange: { first: 1, last: 65_535 },
      ownNames: [AGENT_NAME],
      autoReserve: 'any',
      region: 'us',
      webUrl: '',
      loginApps: [],
      limits: DEFAULT_LIMITS,
    },
  });
  const made = await control.bootstrap(async () => {});
  authtoken = made?.authtoken ?? '';
  apiKey = made?.apiKey ?? '';
  await control.start();
  undo.push(() => control.stop());
  for (let n = 0; n < 2; n++) {
    const connection = control.connectEdge();
    // One after the other: what follows must not depend on who was first.
    // oxlint-disable-next-line no-await-in-loop
    const edge = await elsewhere(edgeTestConfig(), connection.link, () => void connection.gone());
    undo.push(() => edge.stop());
    // oxlint-disable-next-line no-await-in-loop
    await edge.start();
    edges.push(edge);
  }
});
afterAll(async () => {
  for (const step of undo.toReversed()) await step();
});

/** An agent of that edge that answers each request with its name and then goes on talking. */
async function agentAt(edge: EdgeUnderTest | undefined, name: string): Promise<FakeAgent> {
  const agent = await FakeAgent.dial(edge?.addresses.agents.port ?? 0, AGENT_CERTIFICATE.cert, AGENT_NAME);
  undo.push(() => agent.close());
  expect((await agent.auth({ authtoken })).error).toBeUndefined();
  agent.onStream((stream) => {
    stream.write(Buffer.from(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n${name}\r\n`));
    return {
      onData: (chunk) => stream.write(Buffer.from(`${chunk.length.toString(16)}\r\n${String(chunk)}\r\n`)),
      onEnd() {},
      onReset() {},
      onDrain() {},
    };
  });
  const bound = await agent.bind(`http://${name}.example.test`);
  expect(bound.error).toBeUndefined();
  return agent;
}

async function visit(edge: EdgeUnderTest | undefined, host: string): Promise<{ socket: Socket; text: () => string }> {
  const socket = connect(edge?.addresses.http.port ?? 0, '127.0.0.1');
  undo.push(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.write(`POST / HTTP/1.1\r\nhost: ${host}.example.test\r\ntransfer-encoding: chunked\r\n\r\n`);
  return { socket, text: () => text };
}

async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Shakes hands with an edge for a name that both serve. */
async function shakeHands(
  edge: EdgeUnderTest | undefined,
  session?: Buffer,
): Promise<{ reused: boolean; session: Buffer }> {
  const socket = connectTls({
    host: '127.0.0.1',
    port: edge?.addresses.https.port ?? 0,
    servername: 'tickets.example.test',
    ca: WILDCARD_CERTIFICATE.cert,
    // Where the ticket comes with the handshake.
    maxVersion: 'TLSv1.2',
    ...(session === undefined ? {} : { session }),
  });
  undo.push(() => socket.destroy());
  await once(socket, 'secureConnect');
  return { reused: socket.isSessionReused(), session: socket.getSession() ?? Buffer.alloc(0) };
}

test('a TLS session goes on at another edge of the node', async () => {
  const [first, second] = edges;
  const made = await shakeHands(first);
  expect(made.reused).toBe(false);
  expect((await shakeHands(second, made.session)).reused).toBe(true);
  // What an edge keeps of certificates goes when control says that they changed; the tickets are as good as before.
  await control.certificatesChanged(null);
  expect((await shakeHands(second, made.session)).reused).toBe(true);
});

test('a request that comes round through another edge is stopped there', async () => {
  const [first, second] = edges;
  const agent = await agentAt(first, 'round');
  agent.onStream(pipeTo(second?.addresses.http.port ?? 0));
  const { socket, text } = await visit(first, 'round');
  socket.end('0\r\n\r\n');
  await until(() => text().includes('\r\n\r\n'));
  // Without the mark it would have tried to find the agent from there.
  expect(text()).toMatch(/^HTTP\/1\.1 508 [^]*ngrok-error-code: ERR_NGROK_90013/i);
  agent.close();
  await until(async () => (await second?.stats())?.endpoints === 0);
});

test('a killed edge costs its own connections, and no other', async () => {
  const [first, second] = edges;
  await agentAt(first, 'left');
  await agentAt(second, 'kept');
  const caller = await control.api.authenticateApiKey(apiKey);
  const left = await visit(first, 'left');
  const kept = await visit(second, 'kept');
  await until(() => left.text().includes('left') && kept.text().includes('kept'));
  // Both edges know every endpoint, whoever holds its agent.
  expect((await first?.stats())?.endpoints).toBe(2);
  expect((await second?.stats())?.endpoints).toBe(2);

  await first?.kill?.();
  await until(() => left.socket.destroyed);
  await until(async () => (await control.api.tunnelSessions.list(caller, { limit: 10 })).items.length === 1);
  await until(async () => (await second?.stats())?.endpoints === 1);
  // The other's exchange goes on, in both directions, and it takes new ones and new endpoints.
  kept.socket.write('5\r\nstill\r\n');
  await until(() => kept.text().includes('still'));
  const again = await visit(second, 'kept');
  await until(() => again.text().includes('kept'));
  await control.api.endpoints.create(caller, {
    url: 'http://cloud.example.test',
    trafficPolicy: '{"on_http_request":[{"actions":[{"type":"deny"}]}]}',
  });
  expect((await second?.stats())?.endpoints).toBe(2);
});
