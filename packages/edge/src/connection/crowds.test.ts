/** More visitors than can be served: real connections, more in each turn of the loop than the one that is taken. */
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { AGENT_NAME, edgeHarness, eventually, readAll } from '../testing/edge-harness.ts';
import { endpoint } from '../testing/fixtures.ts';
import { helloBytes } from '../testing/hello-bytes.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: hello.example.test\r\nConnection: close\r\n\r\n';
/** A patience that a crowd outlasts. */
const ARRIVAL_MS = 40;
const EACH_TURN = 4;
/** Only a test that fails needs as many. */
const MOST = 8_000;

/** Keeps coming until `enough`. @returns what each was told; '' = cut */
async function crowd(
  port: number,
  enough: (told: readonly string[]) => boolean,
  bytes: string | Buffer = REQUEST,
): Promise<readonly string[]> {
  const told: string[] = [];
  const open = new Set<Socket>();
  for (let came = 0; came < MOST && !enough(told); came += EACH_TURN) {
    for (let one = 0; one < EACH_TURN; one++) {
      const socket = connect({ host: '127.0.0.1', port });
      let text = '';
      open.add(socket);
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => (text += String(chunk)));
      socket.on('close', () => {
        open.delete(socket);
        told.push(text);
      });
      socket.end(bytes);
    }
    await nextTurn();
  }
  await eventually(() => Promise.resolve(open.size === 0));
  return told;
}

// The length of the line is known on Linux only.
const onLinux = test.runIf(process.platform === 'linux');

onLinux(
  'some are refused at once and told why, in the end cut; agents come in, and all is well again afterwards',
  async () => {
    await using harness = await edgeHarness({ limits: { arrivalMs: ARRIVAL_MS } });
    const hello = { on_http_request: [{ actions: [{ type: 'custom-response', config: { status_code: 200 } }] }] };
    await harness.control.push(
      endpoint('ep_1', 'http', 'hello.example.test', { kind: 'cloud', policy: JSON.stringify(hello) }),
    );
    const { port } = harness.edge.addresses.http;
    const refused = (told: readonly string[]): readonly string[] =>
      told.filter((text) => text.startsWith('HTTP/1.1 503'));
    const agents: Promise<unknown>[] = [];
    const told = await crowd(port, (all) => {
      if (refused(all).length > 0 && agents.length === 0) agents.push(harness.agent());
      return refused(all).length > 0 && all.includes('');
    });
    expect(refused(told)[0]).toMatch(
      /\r\nngrok-error-code: ERR_NGROK_90090\r\nretry-after: 3\r\nconnection: close\r\n/,
    );
    expect(told).toContain('');
    expect(told.filter((text) => text.startsWith('HTTP/1.1 200')).length).toBeGreaterThan(0);
    expect(await Promise.all(agents)).toHaveLength(1);
    const visit = async (): Promise<string> => {
      const visitor = await harness.tcp(port);
      visitor.write(REQUEST);
      return String(await readAll(visitor));
    };
    await eventually(async () => (await visit().catch(String)).startsWith('HTTP/1.1 200'));
    const http = (await harness.edge.stats()).listeners.find(({ name }) => name === 'http');
    expect(http?.crowdedOut).toBeGreaterThanOrEqual(refused(told).length + told.filter((text) => text === '').length);
  },
);

onLinux('an agent that shares the port of visitors is not taken for one of them', async () => {
  await using harness = await edgeHarness({ limits: { arrivalMs: ARRIVAL_MS }, addresses: { agents: [] } });
  const { port } = harness.edge.addresses.https;
  const nobody = helloBytes({ serverName: 'nobody.test' });
  let dialled = false;
  let connected = false;
  const told = await crowd(
    port,
    (all) => {
      // Visitors are cut from now on, for as long as they keep coming.
      if (all.includes('') && !dialled) {
        dialled = true;
        void harness.dialAgent(AGENT_NAME, port).then(() => (connected = true));
      }
      return connected;
    },
    nobody,
  );
  expect(told).toContain('');
  expect(connected).toBe(true);
  const https = (await harness.edge.stats()).listeners.find(({ name }) => name === 'https');
  expect(https?.crowdedOut).toBeGreaterThanOrEqual(told.filter((text) => text === '').length);
});
