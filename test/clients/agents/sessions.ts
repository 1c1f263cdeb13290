/** Sessions: who gets in, what the server shows of them, what ends them. */
import assert from 'node:assert/strict';
import { until } from '../../support/until.ts';
import { ClientError } from '../harness/program.ts';
import type { AgentDuty, Bench } from './bench.ts';

/** The page of a name whose endpoint is away. */
export async function isOffline(bench: Bench, url: string): Promise<boolean> {
  return (await bench.world.visit(url)).headers['ngrok-error-code'] === 'ERR_NGROK_3200';
}

/** A credential of its own, with its token. */
async function credential(bench: Bench): Promise<{ id: string; token: string }> {
  const made = await bench.world.api('POST', '/credentials', { description: 'of a duty' });
  assert.equal(made.status, 201, made.text);
  return { id: made.body.id, token: made.body.token };
}

/** The code of a refused connect: as the SDK's error, or in what it says of an attempt that it goes on repeating. */
async function refusalOf(bench: Bench, authtoken: string): Promise<string> {
  const said = bench.program.events.length;
  const refused = bench.connect({ authtoken, give_up_ms: 8_000 }).then(
    () => assert.fail('it was let in'),
    (error: unknown) => error,
  );
  const error = await refused;
  assert.ok(error instanceof ClientError, String(error));
  const told = [error.code, error.message, ...bench.program.events.slice(said).map((event) => event['reason'] ?? '')];
  return told.join(' ');
}

export const SESSIONS: readonly AgentDuty[] = [
  {
    name: 'connect',
    needs: ['metadata'],
    run: async (bench) => {
      const before = (await bench.world.rows('/tunnel_sessions')).length;
      await bench.connect({ metadata: 'meta of a session' });
      const rows = await bench.world.rows('/tunnel_sessions');
      assert.equal(rows.length, before + 1);
      const row = rows.find((one) => one['metadata'] === 'meta of a session');
      assert.ok(row, JSON.stringify(rows));
      assert.match(String(row['agent_version']), /\d+\.\d+/);
    },
  },
  {
    name: 'token refused',
    needs: ['codes'],
    run: async (bench) => {
      assert.match(await refusalOf(bench, 'nonsense'), /ERR_NGROK_105/);
      const { id, token } = await credential(bench);
      assert.equal((await bench.world.api('DELETE', `/credentials/${id}`)).status, 204);
      assert.match(await refusalOf(bench, token), /ERR_NGROK_107/);
    },
  },
  {
    name: 'token revoked',
    run: async (bench) => {
      const { id, token } = await credential(bench);
      const session = await bench.connect({ authtoken: token });
      const { url } = await bench.listen(session);
      assert.equal((await bench.world.visit(url)).status, 200);
      assert.equal((await bench.world.api('DELETE', `/credentials/${id}`)).status, 204);
      await until(() => isOffline(bench, url));
      const left = await bench.world.rows('/tunnel_sessions');
      assert.ok(!left.some((row) => (row['credential'] as { id?: string } | undefined)?.id === id));
    },
  },
  {
    name: 'heartbeats',
    needs: ['heartbeats'],
    run: async (bench) => {
      const session = await bench.connect({ heartbeat_interval_ms: 1_000, heartbeat_tolerance_ms: 20_000 });
      await until(() => bench.program.eventsOf('heartbeat', session).length >= 3);
      for (const { ms } of bench.program.eventsOf('heartbeat', session)) assert.ok(ms >= 0, String(ms));
    },
  },
  {
    name: 'commands',
    needs: ['commands'],
    run: async (bench) => {
      for (const command of ['update', 'restart', 'stop']) {
        const metadata = `commanded to ${command}`;
        const session = await bench.connect({ metadata });
        const row = (await bench.world.rows('/tunnel_sessions')).find((one) => one['metadata'] === metadata);
        const answer = await bench.world.api('POST', `/tunnel_sessions/${String(row?.['id'])}/${command}`, {});
        assert.equal(answer.status, 204, answer.text);
        const told = await until(() => bench.program.eventsOf('command', session)[0]);
        assert.match(String(told['command']), new RegExp(command, 'i'));
      }
    },
  },
  {
    name: 'close',
    run: async (bench) => {
      const session = await bench.connect();
      const [first, second] = [await bench.listen(session), await bench.listen(session)];
      await bench.program.call('unlisten', { listener: first['listener'] });
      await until(() => isOffline(bench, first['url']));
      assert.equal((await bench.world.visit(second['url'])).status, 200);
      await bench.disconnect(session);
      await until(() => isOffline(bench, second['url']));
    },
  },
];
