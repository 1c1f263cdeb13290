/** A server that ends, in order or not, and comes back: the same sessions, names and ids. */
import assert from 'node:assert/strict';
import { until } from '../../support/until.ts';
import type { AgentDuty, Bench } from './bench.ts';

/** The Rust family comes back after 0, 50 ms, 2.5 s and then 125 s: a busy machine may take it to the last. */
const BACK_MS = 180_000;

async function survives(bench: Bench, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const session = await bench.connect();
  const chosen = await bench.listen(session, { url: `https://${bench.world.host()}` });
  const random = await bench.listen(session);
  const upstream = `tcp://127.0.0.1:${bench.world.echo.port}`;
  const tcp = await bench.listen(session, { proto: 'tcp', upstream });
  const idOf = async (url: string): Promise<unknown> =>
    (await bench.world.rows('/endpoints')).find((row) => row['public_url'] === url)?.['id'];
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

export const RESTARTS: readonly AgentDuty[] = [
  { name: 'restart', needs: ['forwards'], run: (bench) => survives(bench, 'SIGTERM') },
  { name: 'kill -9', needs: ['forwards'], run: (bench) => survives(bench, 'SIGKILL') },
];
