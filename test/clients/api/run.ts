/** Runs what is asked of API clients with one of them: a server and a program of its own. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CLIENTS, type Client } from '../harness/client.ts';
import { ClientError, type Command, type Fields, Program } from '../harness/program.ts';
import type { Report } from '../harness/report.ts';
import { World } from '../harness/world.ts';
import { type Body, type Example, EXAMPLES } from './examples.ts';

export interface ApiClient {
  readonly language: string;
  readonly name: string;
  readonly tools: readonly string[];
  /** How the client's services are named: as resources, or by their tags in the contract. */
  readonly named: 'name' | 'tag';
  /** By duty; the name of a resource is the duty of its round trip. */
  readonly cannot: Readonly<Record<string, string>>;
  build(): Promise<Command>;
}

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
/** Looks like an id, and is none of this server's. */
const NOBODY = 'x_2na2KihPFoAuVQW4AHbrWlPjLsw';

class Bench {
  readonly world: World;
  readonly #client: ApiClient;
  readonly #program: Program;
  readonly #methods: Fields;

  private constructor(world: World, client: ApiClient, program: Program, methods: Fields) {
    this.world = world;
    this.#client = client;
    this.#program = program;
    this.#methods = methods;
  }

  static async start(world: World, client: ApiClient, program: Program): Promise<Bench> {
    const { runtime, apiKey } = world.platform;
    const methods = await program.call('start', { base_url: runtime.api_url, key: apiKey });
    return new Bench(world, client, program, methods);
  }

  #service(of: { readonly name: string; readonly tag: string }): string {
    return this.#client.named === 'name' ? of.name : of.tag;
  }

  has(of: { readonly name: string; readonly tag: string }, method: string): boolean {
    return this.#methods[this.#service(of)]?.includes(method) === true;
  }

  call(of: { readonly name: string; readonly tag: string }, method: string, args: Body = {}): Promise<Fields> {
    return this.#program.call('call', { service: this.#service(of), tag: of.tag, method, args });
  }

  /** The error that the client reports; its `status` is 0 when it could not read the answer. */
  async refusal(of: { readonly name: string; readonly tag: string }, method: string, args: Body): Promise<Refusal> {
    const error: unknown = await this.call(of, method, args).then(
      (answer) => assert.fail(`${of.name}.${method} answered ${JSON.stringify(answer)}`),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof ClientError, String(error));
    assert.notEqual(error.said['status'], 0, `${of.name}.${method}: ${error.message}`);
    return { code: error.code, message: error.message, status: error.said['status'] };
  }
}

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly status: number;
}

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
    ['pages', () => pages(bench)],
    ['errors', () => errors(bench)],
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
