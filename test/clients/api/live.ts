/** What agents bring about and API clients look at: sessions, tunnels; routes of edges, and lists of who has logged in. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { until } from '../../support/until.ts';
import { CLIENTS } from '../harness/client.ts';
import { type Fields, Program } from '../harness/program.ts';
import { type Bench, NOBODY } from './bench.ts';

const SESSIONS = { name: 'tunnel_sessions', tag: 'TunnelSessions' };
const TUNNELS = { name: 'tunnels', tag: 'Tunnels' };
const ENDPOINTS = { name: 'endpoints', tag: 'Endpoints' };
const VAULTS = { name: 'vaults', tag: 'Vaults' };
const EDGES = { name: 'edges_https', tag: 'EdgesHTTPS' };
const ROUTES = { name: 'edges_https_routes', tag: 'EdgesHTTPSRoutes' };

/** An agent with one endpoint: the SDK that needs no other language than ours. */
async function withAgent(bench: Bench, work: (agent: Program, url: string) => Promise<void>): Promise<void> {
  const { world } = bench;
  const agent = new Program({
    command: process.execPath,
    args: [path.join(CLIENTS, 'javascript-agent', 'main.mjs')],
  });
  try {
    const { agentAddress: address, caFile: ca } = world;
    await agent.call('connect', {
      session: 's',
      address,
      ca,
      authtoken: world.platform.authtoken,
      metadata: 'of an API duty',
    });
    const listen = { session: 's', listener: 'l', proto: 'https', upstream: world.service.url };
    const { url } = await agent.call('listen', listen);
    await work(agent, String(url));
  } finally {
    await agent.stop();
  }
}

function rowsOf(listed: Fields): readonly Fields[] {
  return listed as unknown as readonly Fields[];
}

export async function tunnelSessions(bench: Bench): Promise<void> {
  await withAgent(bench, async (agent) => {
    const row = rowsOf(await bench.call(SESSIONS, 'list')).find(({ metadata }) => metadata === 'of an API duty');
    const id = String(row?.['id']);
    const shown = await bench.call(SESSIONS, 'get', { id });
    assert.equal(shown['metadata'], 'of an API duty');
    assert.match(String(shown['agent_version']), /\d/);
    for (const command of ['update', 'restart', 'stop']) {
      await bench.call(SESSIONS, command, { id });
      await until(() => agent.eventsOf('command').some((event) => event['command'] === command));
    }
  });
}

export async function tunnels(bench: Bench): Promise<void> {
  await withAgent(bench, async (_agent, url) => {
    const row = rowsOf(await bench.call(TUNNELS, 'list')).find(({ public_url: shown }) => shown === url);
    const shown = await bench.call(TUNNELS, 'get', { id: String(row?.['id']) });
    assert.deepEqual([shown['public_url'], shown['proto']], [url, 'https']);
    const endpoint = rowsOf(await bench.call(ENDPOINTS, 'list')).find(({ public_url: one }) => one === url);
    const { type, proto } = await bench.call(ENDPOINTS, 'get', { id: String(endpoint?.['id']) });
    assert.deepEqual([type, proto], ['ephemeral', 'https']);
  });
}

export async function secretsOfVault(bench: Bench): Promise<void> {
  const vault_id = String((await bench.call(VAULTS, 'create', { name: 'of-secrets' }))['id']);
  const secret = { name: 'of-a-vault', value: 'nobody sees it', vault_id };
  const { id } = await bench.call({ name: 'secrets', tag: 'Secrets' }, 'create', secret);
  const listed = await bench.call(VAULTS, 'getsecretsbyvault', { id: vault_id });
  const rows: readonly Fields[] = Array.isArray(listed) ? listed : (listed['secrets'] ?? []);
  assert.deepEqual(
    rows.map((row) => row['id']),
    [id],
  );
}

export async function edgeRoutes(bench: Bench): Promise<void> {
  const hostports = [`${bench.world.host()}:443`];
  const edge_id = String((await bench.call(EDGES, 'create', { hostports }))['id']);
  const body = { match_type: 'path_prefix', match: '/here', description: 'what it is for', metadata: 'a route' };
  const id = String((await bench.call(ROUTES, 'create', { edge_id, ...body }))['id']);
  const shows = async (wanted: Fields): Promise<void> => {
    const shown = await bench.call(ROUTES, 'get', { edge_id, id });
    for (const [field, value] of Object.entries(wanted)) assert.deepEqual(shown[field], value, field);
  };
  await shows(body);
  // A client may send all fields whatever it is given.
  const change = { ...body, match_type: 'exact_path', match: '/there', description: 'changed' };
  await bench.call(ROUTES, 'update', { edge_id, id, ...change });
  await shows(change);
  await bench.call(ROUTES, 'delete', { edge_id, id });
  assert.equal((await bench.refusal(ROUTES, 'get', { edge_id, id })).status, 404);
  await bench.call(EDGES, 'delete', { id: edge_id });
}

/** Nobody has logged in here: lists are read, and an id that nobody has is told from one. */
export async function logins(bench: Bench): Promise<void> {
  for (const of of [
    { name: 'application_users', tag: 'ApplicationUsers' },
    { name: 'application_sessions', tag: 'ApplicationSessions' },
  ]) {
    assert.deepEqual(await bench.call(of, 'list'), []);
    for (const method of ['get', 'delete']) {
      const refused = await bench.refusal(of, method, { id: NOBODY });
      assert.equal(refused.status, 404, refused.message);
    }
  }
}
