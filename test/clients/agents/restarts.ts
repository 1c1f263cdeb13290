/** A server that ends, in order or not, or a wire that does, and that comes back: the same sessions, names and ids. */
import assert from 'node:assert/strict';
import { splitAddress } from '../../support/platform.ts';
import { until } from '../../support/until.ts';
import { Wire } from '../../support/wire.ts';
import type { AgentDuty, Bench } from './bench.ts';

/** Waits start over when a session has lasted that long. */
const SETTLED_MS = 3_000;
/** The Rust family comes back after 0, 50 ms, 2.5 s and then 125 s: a busy machine may take it to the last. */
const BACK_MS = 180_000;

async function idOfEndpoint(bench: Bench, url: string): Promise<unknown> {
  return (await bench.world.rows('/endpoints')).find((row) => row['public_url'] === url)?.['id'];
}

async function survives(bench: Bench, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const session = await bench.connect();
  const chosen = await bench.listen(session, { url: `https://${bench.world.host()}` });
  const random = await bench.listen(session);
  const upstream = `tcp://127.0.0.1:${bench.world.echo.port}`;
  const tcp = await bench.listen(session, { proto: 'tcp', upstream });
  const idOf = (url: string): Promise<unknown> => idOfEndpoint(bench, url);
  const before = await Promise.all([chosen, random, tcp].map(({ url }) => idOf(url)));
  await bench.world.restart(signal);
  for (const { url } of [chosen, random]) {
    await until(async () => (await bench.world.visit(`${url}/again`)).status === 200, BACK_MS);
    assert.equal((await bench.world.visit(`${url}/again`)).text, `GET /again of ${new URL(url).host}`);
  }
  const again = await until(() => bench.world.dial(tcp['url']), BACK_MS);
  again.end();
  const after = await Promise.all([chosen, random, tcp].map(({ url }) => idOf(url)));
  assert.deepEqual(after, before);
}

/** Cut so that both sides know, and then so that the server believes the old session alive when the new one comes. */
async function survivesCuts(bench: Bench): Promise<void> {
  const wire = await Wire.to(() => {
    const [host, port] = splitAddress(bench.world.platform.runtime.agent_addr);
    return { host, port };
  });
  try {
    const session = await bench.connect({ address: `localhost:${wire.port}` });
    const { url } = await bench.listen(session, { url: `https://${bench.world.host()}` });
    const serves = async (): Promise<boolean> => (await bench.world.visit(`${url}/again`)).status === 200;
    const before = await idOfEndpoint(bench, url);
    for (const cut of [() => wire.cut(), () => wire.halfOpen()]) {
      await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
      assert.equal(await serves(), true);
      const { accepted } = wire;
      cut();
      await until(() => wire.accepted > accepted, BACK_MS);
      await until(serves, BACK_MS);
      assert.equal((await bench.world.visit(`${url}/again`)).text, `GET /again of ${new URL(url).host}`);
      assert.equal(await idOfEndpoint(bench, url), before);
    }
    await bench.clear();
  } finally {
    await wire.close();
  }
}

export const RESTARTS: readonly AgentDuty[] = [
  { name: 'restart', needs: ['forwards'], run: (bench) => survives(bench, 'SIGTERM') },
  { name: 'kill -9', needs: ['forwards'], run: (bench) => survives(bench, 'SIGKILL') },
  { name: 'wire cut', needs: ['forwards'], run: survivesCuts },
];
