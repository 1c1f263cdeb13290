/** Agents are killed, stopped and cut off, servers restarted: names are free or taken over at once by their owner. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Platform, splitAddress } from '../support/platform.ts';
import { type SdkProcess, sdkProcess } from '../support/sdk.ts';
import { until } from '../support/until.ts';
import { type Upstream, httpUpstream } from '../support/upstream.ts';

/** What happens to such an agent within a test does not happen for want of heartbeats. */
const NO_HEARTBEAT = { heartbeatSeconds: 600, toleranceSeconds: 600 };

let platform: Platform;
let upstream: Upstream;
const agents: SdkProcess[] = [];

beforeEach(async () => {
  platform = await Platform.start();
  upstream = await httpUpstream((_request, response) => response.end('hello from upstream'));
});
afterEach(async () => {
  await Promise.all(agents.splice(0).map((started) => started.kill('SIGKILL')));
  await platform.dispose();
  await upstream.close();
});

async function agent(options: Omit<Parameters<typeof sdkProcess>[1], 'upstream'> = {}): Promise<SdkProcess> {
  const started = await sdkProcess(platform, { upstream: upstream.url, ...options });
  agents.push(started);
  return started;
}
const serves = async (url: string): Promise<boolean> => (await platform.visit(url)).text === 'hello from upstream';
const onlineUrls = async (): Promise<string[]> =>
  ((await platform.api('GET', '/endpoints')).body.endpoints as { url: string }[]).map((row) => row.url);

describe('the agent process', () => {
  test('killed: its endpoint is gone at once and a re-run takes the URL at once', async () => {
    const first = await agent({ domain: 'killed.example.com', ...NO_HEARTBEAT });
    expect(await serves(first.url)).toBe(true);
    await first.kill('SIGKILL');
    await until(async () => (await onlineUrls()).length === 0);
    expect((await platform.visit(first.url)).headers['ngrok-error-code']).toBe('ERR_NGROK_3200');
    const second = await agent({ domain: 'killed.example.com' });
    expect(second.url).toBe(first.url);
    expect(await serves(second.url)).toBe(true);
  });

  test('stopped for a moment: it keeps its URL against another', async () => {
    const first = await agent({ domain: 'busy.example.com' });
    await first.kill('SIGSTOP');
    // Who asks meanwhile waits for its answer.
    const refused = expect(agent({ domain: 'busy.example.com' })).rejects.toThrow('ERR_NGROK_334');
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await first.kill('SIGCONT');
    await refused;
    await until(() => serves(first.url));
  });

  test('stopped for long: a re-run takes the URL, and the first one wins it back when it returns', async () => {
    const first = await agent({ domain: 'frozen.example.com', heartbeatSeconds: 1, toleranceSeconds: 10 });
    await first.kill('SIGSTOP');
    const taken = async (): Promise<boolean> =>
      agent({ domain: 'frozen.example.com' }).then(
        (second) => second.url === first.url,
        () => false,
      );
    // Heartbeats every second; five seconds beyond that are too many.
    await until(taken);
    expect(await serves(first.url)).toBe(true);
    // Its session ends for its silence, so that it comes back on a new one.
    await until(
      async () => ((await platform.api('GET', '/tunnel_sessions')).body.tunnel_sessions as unknown[]).length === 1,
    );
    await first.kill('SIGCONT');
    const owner = async () =>
      ((await platform.api('GET', '/endpoints')).body.endpoints as { id: string }[]).map(({ id }) => id);
    const [second] = await owner();
    await until(async () => ![undefined, second].includes((await owner())[0]));
    expect(await serves(first.url)).toBe(true);
  });

  test('stopped: without a re-run its endpoint is gone within the heartbeat bound', async () => {
    const first = await agent({ domain: 'silent.example.com', heartbeatSeconds: 1, toleranceSeconds: 1 });
    await first.kill('SIGSTOP');
    await until(async () => (await onlineUrls()).length === 0);
  });

  test('a live agent keeps its URL against another', async () => {
    await agent({ domain: 'held.example.com' });
    await expect(agent({ domain: 'held.example.com' })).rejects.toThrow('ERR_NGROK_334');
  });
});

test('the server killed and started again: the SDK comes back by itself with its URL', async () => {
  const named = await agent({ domain: 'stays.example.com' });
  const random = await agent();
  const tcp = await agent({ proto: 'tcp' });
  expect(await serves(named.url)).toBe(true);
  const { runtime } = platform;
  const listeners = [
    `--agent-listen=127.0.0.1:${splitAddress(runtime.agent_addr)[1]}`,
    `--https-listen=127.0.0.1:${splitAddress(runtime.https_addr)[1]}`,
  ];
  platform = await platform.restart('SIGKILL', { args: listeners });
  // The SDK's own waits are 0, 50 ms, 2.5 s, 125 s: the last is for machines whose start takes longer than the third.
  await until(async () => (await onlineUrls()).length === 3, 150_000);
  expect(new Set(await onlineUrls())).toEqual(new Set([named.url, random.url, tcp.url]));
  expect(await serves(named.url)).toBe(true);
  expect(await serves(random.url)).toBe(true);
}, 240_000);
