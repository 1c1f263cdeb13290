/** Runs what is asked of API clients with one of them: a server and a program of its own. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CLIENTS, type Client } from '../harness/client.ts';
import { type Fields, Program } from '../harness/program.ts';
import type { Report } from '../harness/report.ts';
import { World } from '../harness/world.ts';
import { type ApiClient, Bench, NOBODY } from './bench.ts';
import { type Body, type Example, EXAMPLES } from './examples.ts';
import { edgeRoutes, logins, secretsOfVault, tunnels, tunnelSessions } from './live.ts';

interface Operation {
  readonly action: string;
  readonly method: string;
  readonly path: string;
}

interface Resource {
  readonly name: string;
  readonly client_tag: string | null;
  readonly operations: readonly Operation[];
}

const CONTRACT = process.env['POSTERN_API_CONTRACT'] ?? path.resolve(CLIENTS, '../../../shared/spec/api-contract.json');
const PAGED = 25;

export function apiClient(client: ApiClient): Client {
  const { language, name, tools } = client;
  return {
    language,
    part: 'api',
    name,
    tools,
    run: async (report) => {
      const command = await client.build();
      const world = await World.start();
      const program = new Program(command);
      try {
        const bench = await Bench.start(world, client, program);
        for (const [duty, work] of duties(bench)) await runDuty(client, duty, work, report);
      } finally {
        await program.stop();
        await world.dispose();
      }
    },
  };
}

async function runDuty(client: ApiClient, duty: string, work: () => Promise<void>, report: Report): Promise<void> {
  const why = client.cannot[duty];
  if (why === undefined) await report.run(client.name, duty, work);
  else report.add({ client: client.name, duty, outcome: 'cannot', why });
}

function duties(bench: Bench): readonly (readonly [duty: string, work: () => Promise<void>])[] {
  return [
    ...EXAMPLES.map((example) => [example.name, () => roundTrip(bench, example)] as const),
    ['edges_https_routes', () => edgeRoutes(bench)],
    ['tunnel_sessions', () => tunnelSessions(bench)],
    ['tunnels and their endpoints', () => tunnels(bench)],
    ['secrets of a vault', () => secretsOfVault(bench)],
    ['application users and sessions', () => logins(bench)],
    ['pages', () => pages(bench)],
    ['errors', () => errors(bench)],
    ['every method served', () => everyMethod(bench)],
    ['methods not served', () => notServed(bench)],
  ];
}

async function roundTrip(bench: Bench, example: Example): Promise<void> {
  const { unseen = [], change } = example;
  const body = await example.create(bench.world);
  const id = String((await bench.call(example, 'create', body))['id']);
  shows(await bench.call(example, 'get', { id }), body, unseen);
  const listed = (await bench.call(example, 'list')) as unknown as readonly Fields[];
  shows(listed.find((row) => row['id'] === id) ?? {}, body, unseen);
  await bench.call(example, 'update', { id, ...change });
  shows(await bench.call(example, 'get', { id }), { ...body, ...change }, unseen);
  await bench.call(example, 'delete', { id });
  assert.equal((await bench.refusal(example, 'get', { id })).status, 404);
  // With nothing but what the server needs: what is empty must be readable, too.
  const { description: _description, metadata: _metadata, ...least } = await example.create(bench.world);
  const bare = String((await bench.call(example, 'create', least))['id']);
  shows(await bench.call(example, 'get', { id: bare }), least, unseen);
  await bench.call(example, 'delete', { id: bare });
}

function shows(row: Fields, body: Body, unseen: readonly string[]): void {
  for (const [field, value] of Object.entries(body))
    if (!unseen.includes(field) && field !== 'region') assert.deepEqual(row[field] ?? false, value, field);
}

async function pages(bench: Bench): Promise<void> {
  const of = { name: 'ip_policies', tag: 'IPPolicies' };
  const made: string[] = [];
  for (let at = 0; at < PAGED; at += 1) made.unshift(String((await bench.call(of, 'create', {}))['id']));
  const listed = (await bench.call(of, 'list', { limit: '10' })) as unknown as readonly Fields[];
  const ids = listed.map((row) => String(row['id'])).filter((id) => made.includes(id));
  assert.deepEqual(ids, made);
}

async function errors(bench: Bench): Promise<void> {
  const of = { name: 'ip_policies', tag: 'IPPolicies' };
  const malformed = await bench.refusal(of, 'get', { id: 'ipp_nonsense' });
  assert.deepEqual([malformed.status, malformed.code], [404, 'ERR_NGROK_222']);
  const rules = { name: 'ip_policy_rules', tag: 'IPPolicyRules' };
  const ip_policy_id = String((await bench.call(of, 'create', {}))['id']);
  const refused = await bench.refusal(rules, 'create', { cidr: 'nonsense', action: 'allow', ip_policy_id });
  assert.deepEqual([refused.status, refused.code], [400, 'ERR_NGROK_1406']);
}

/** Every method of the client whose path this server has was called by one of the duties before. */
async function everyMethod(bench: Bench): Promise<void> {
  const served = await servedPaths(bench);
  const missed = contract().flatMap(({ name, client_tag: tag, operations }) =>
    operations
      .filter(({ method, path: route }) => served.has(`${method} ${route}`))
      .filter(({ action }) => bench.has({ name, tag: tag ?? '' }, action) && !bench.called.has(`${name}.${action}`))
      .map(({ action }) => `${name}.${action}`),
  );
  assert.deepEqual(missed, []);
}

/** Every method of the client whose path this server does not have. */
async function notServed(bench: Bench): Promise<void> {
  const served = await servedPaths(bench);
  const problems: string[] = [];
  let asked = 0;
  for (const { name, client_tag: tag, operations } of contract()) {
    for (const { action, method, path: route } of operations) {
      const of = { name, tag: tag ?? '' };
      if (served.has(`${method} ${route}`) || !bench.has(of, action)) continue;
      asked += 1;
      const args = Object.fromEntries(Array.from(route.matchAll(/\{(\w+)\}/g), ([, param]) => [param, NOBODY]));
      const { status, code, message } = await bench.refusal(of, action, args);
      const [, collection = ''] = route.split('/');
      const known = Array.from(served).some((one) => one.split('/')[1] === collection);
      const said = status === 404 && code === 'ERR_NGROK_90095' && message.includes(`/${collection}`);
      // Below what is served there may be parts that are refused by another code, which names the part.
      if (!said && !(known && status >= 400 && code !== ''))
        problems.push(`${method} ${route}: ${status} ${code} ${message}`);
    }
  }
  assert.deepEqual(problems, []);
  assert.ok(asked > 0 || !existsSync(CONTRACT), 'nothing was asked');
}

function contract(): readonly Resource[] {
  return existsSync(CONTRACT) ? JSON.parse(readFileSync(CONTRACT, 'utf8')).resources : [];
}

/** `METHOD /path/{id}` of all that the server says it has, parameters named as the contract names them. */
async function servedPaths(bench: Bench): Promise<ReadonlySet<string>> {
  const document: { paths: Record<string, Record<string, unknown>> } = (await bench.world.api('GET', '/openapi.json'))
    .body;
  const unnamed = (route: string): string => route.replace(/\{\w+\}/g, '{}');
  const paths = new Map(Object.entries(document.paths).map(([route, methods]) => [unnamed(route), methods]));
  const found = contract().flatMap(({ operations }) =>
    operations
      .filter(({ method, path: route }) => paths.get(unnamed(route))?.[method.toLowerCase()] !== undefined)
      .map(({ method, path: route }) => `${method} ${route}`),
  );
  return new Set(found);
}
