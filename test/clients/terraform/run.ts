/** Published Terraform providers, newest and older: every step of a resource's life, for all their resources at once. */
import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { selfSigned } from '../../support/certificates.ts';
import { CLIENTS, type Client } from '../harness/client.ts';
import type { Report } from '../harness/report.ts';
import { runTool, type ToolRun, built, tryTool } from '../harness/toolchain.ts';
import { World } from '../harness/world.ts';

const MODULE = 'github.com/ngrok/terraform-provider-ngrok';
const TEAMS = 110;
const own = (name: string): string => path.join(CLIENTS, 'terraform', name);

interface Version {
  readonly version: string;
  /** Configuration with every resource that this version has and Postern serves. */
  readonly files: readonly string[];
  /** Steps that its resources do not have, and why. */
  readonly cannot: Readonly<Record<string, string>>;
  /** What is made in one apply at parallelism 20, and how many of it the API must show then. */
  readonly many: { readonly files: readonly string[]; readonly counts: Readonly<Record<string, number>> };
  /** What somebody else deletes, by type, with the path of its collection. */
  readonly drifts: readonly [type: string, route: string];
}

const OLDER = {
  cannot: { 'what it made is served': 'it makes no endpoints', import: 'its resources cannot be imported' },
  drifts: ['ngrok_ip_policy_rule', '/ip_policy_rules'],
} as const;

const OLDER_COUNTS = { '/reserved_domains': 30, '/credentials': 20 };

/** The newest first: the one that a binary without a version is taken for. */
const VERSIONS: readonly [Version, ...Version[]] = [
  {
    version: 'v0.8.0',
    files: [path.join(CLIENTS, '..', '..', 'examples', 'terraform', 'main.tf')],
    cannot: {},
    many: { files: [own('many.tf')], counts: { '/endpoints': 60, '/reserved_domains': 30, '/credentials': 20 } },
    drifts: ['ngrok_cloud_endpoint', '/endpoints'],
  },
  {
    version: 'v0.7.0',
    files: [own('older.tf'), own('v0.7.tf')],
    many: { files: [own('many-older.tf'), own('many-v0.7.tf')], counts: OLDER_COUNTS },
    ...OLDER,
  },
  {
    version: 'v0.1.4',
    files: [own('older.tf'), own('v0.1.tf')],
    many: { files: [own('many-older.tf'), own('many-v0.1.tf')], counts: OLDER_COUNTS },
    ...OLDER,
  },
];

export const TERRAFORM: readonly Client[] = VERSIONS.map((version) => ({
  language: 'terraform',
  name: `Terraform provider ${version.version}`,
  tools: ['terraform', 'go'],
  run: (report) => runVersion(version, report),
}));

async function runVersion(version: Version, report: Report): Promise<void> {
  const name = `Terraform provider ${version.version}`;
  const folder = await provider(version.version);
  const world = await World.start();
  const work = await mkdtemp(path.join(tmpdir(), 'postern-terraform-'));
  try {
    const terraform = await Terraform.prepare(world, work, folder, version);
    for (const [step, run] of STEPS) {
      const why = version.cannot[step];
      if (why !== undefined) report.add({ client: name, duty: step, outcome: 'cannot', why });
      // What follows a failed step would only say so again.
      else if (!(await report.run(name, step, () => run(terraform, world)))) break;
    }
  } finally {
    await world.dispose();
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * The folder of its binary: what POSTERN_TERRAFORM_PROVIDER names (`v0.7.0=<file>,v0.1.4=<file>`; a file alone is the
 * newest version's), or built from its module.
 */
async function provider(version: string): Promise<string> {
  for (const entry of (process.env['POSTERN_TERRAFORM_PROVIDER'] ?? '').split(',')) {
    const [, of = VERSIONS[0].version, file = ''] = /^(?:(v[^=/]+)=)?(.*)$/.exec(entry) ?? [];
    if (of === version && file !== '') return path.dirname(path.resolve(file));
  }
  return built(`terraform-provider-${version}`, [version], async (into) => {
    await runTool({
      command: 'go',
      args: ['install', `${MODULE}@${version}`],
      env: { GOBIN: into, GOTOOLCHAIN: 'local' },
    });
  });
}

class Terraform {
  readonly #env: Readonly<Record<string, string>>;
  readonly #work: string;
  readonly #material: Readonly<Record<string, string>>;
  readonly version: Version;

  private constructor(
    version: Version,
    env: Readonly<Record<string, string>>,
    work: string,
    material: Readonly<Record<string, string>>,
  ) {
    this.version = version;
    this.#env = env;
    this.#work = work;
    this.#material = material;
  }

  /** The provider is taken from its folder; no registry is asked for anything. */
  static async prepare(world: World, work: string, folder: string, version: Version): Promise<Terraform> {
    const configuration = path.join(work, 'terraform.rc');
    await writeFile(
      configuration,
      `provider_installation {\n  dev_overrides {\n    "ngrok/ngrok" = "${folder}"\n  }\n}\n`,
    );
    await mkdir(path.join(work, 'example'));
    for (const file of version.files) await copyFile(file, path.join(work, 'example', path.basename(file)));
    const env = {
      TF_CLI_CONFIG_FILE: configuration,
      TF_IN_AUTOMATION: '1',
      CHECKPOINT_DISABLE: '1',
      NGROK_API_BASE_URL: world.platform.runtime.api_url,
      NGROK_API_KEY: world.platform.apiKey,
    };
    const { cert, key } = await selfSigned('uploaded.example.com');
    const material = {
      authority: await world.authorityPem(),
      certificate: cert.toString(),
      private_key: key.toString(),
    };
    return new Terraform(version, env, path.join(work, 'example'), material);
  }

  run(args: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<ToolRun> {
    const all = { ...this.#material, ...variables };
    return tryTool({
      command: 'terraform',
      args: [...args],
      cwd: this.#work,
      env: {
        ...this.#env,
        ...Object.fromEntries(Object.entries(all).map(([name, value]) => [`TF_VAR_${name}`, value])),
      },
    });
  }

  async apply(variables: Readonly<Record<string, string>> = {}): Promise<void> {
    const { code, output } = await this.run(
      ['apply', '-auto-approve', '-input=false', '-no-color', '-parallelism=20'],
      variables,
    );
    assert.equal(code, 0, output);
  }

  /** 'empty', or what it would do. */
  async plan(variables: Readonly<Record<string, string>> = {}): Promise<string> {
    const { code, output } = await this.run(['plan', '-detailed-exitcode', '-input=false', '-no-color'], variables);
    assert.notEqual(code, 1, output);
    return code === 0 ? 'empty' : output.slice(Math.max(0, output.indexOf('Terraform will perform')));
  }

  async resources(): Promise<readonly { address: string; type: string; id: string }[]> {
    const { output } = await this.run(['show', '-json', '-no-color']);
    const json = JSON.parse(output.slice(output.indexOf('{"format_version"')));
    const rows: { address: string; type: string; values: { id: string } }[] = json.values?.root_module?.resources ?? [];
    return rows.map(({ address, type, values }) => ({ address, type, id: values.id }));
  }

  async config(name: string, text: string): Promise<void> {
    await writeFile(path.join(this.#work, name), text);
  }

  async remove(name: string): Promise<void> {
    await rm(path.join(this.#work, name), { force: true });
  }
}

/** What they hold is in no answer. */
const UNREADABLE: ReadonlySet<string> = new Set(['ngrok_secret', 'ngrok_tls_certificate']);

const CHANGED = { note: 'changed by Terraform', greeting: 'goodbye' };

type Step = readonly [step: string, run: (terraform: Terraform, world: World) => Promise<void>];

const STEPS: readonly Step[] = [
  ['apply', (terraform) => terraform.apply()],
  ['empty plan', async (terraform) => assert.equal(await terraform.plan(), 'empty')],
  ['what it made is served', async (_terraform, world) => serves(world, 'hello')],
  [
    'change',
    async (terraform, world) => {
      await terraform.apply(CHANGED);
      if (makesEndpoints(terraform)) await serves(world, 'goodbye');
    },
  ],
  ['empty plan after a change', async (terraform) => assert.equal(await terraform.plan(CHANGED), 'empty')],
  ['import', importAll],
  ['drift repaired', drift],
  ['many at parallelism 20', many],
  ['110 resources over a restart', interrupted],
  [
    'destroy',
    async (terraform, world) => {
      const { code, output } = await terraform.run(
        ['destroy', '-auto-approve', '-no-color', '-parallelism=20'],
        CHANGED,
      );
      assert.equal(code, 0, output);
      for (const route of [
        '/reserved_domains',
        '/endpoints',
        '/reserved_addrs',
        '/ip_policies',
        '/ip_policy_rules',
        '/vaults',
        '/tls_certificates',
        '/certificate_authorities',
        '/bot_users',
      ])
        assert.deepEqual(await world.rows(route), [], route);
    },
  ],
];

const makesEndpoints = ({ version }: Terraform): boolean => version.cannot['what it made is served'] === undefined;

async function serves(world: World, text: string): Promise<void> {
  const answer = await world.visit('https://app.example.com/');
  assert.deepEqual([answer.status, answer.text], [200, text]);
}

/** All that can be read back is forgotten and imported by its id; a secret's value is in no answer, so it stays. */
async function importAll(terraform: Terraform): Promise<void> {
  const known = (await terraform.resources()).filter(({ type }) => !UNREADABLE.has(type));
  const forgotten = await terraform.run(['state', 'rm', ...known.map(({ address }) => address)]);
  assert.equal(forgotten.code, 0, forgotten.output);
  const blocks = known.map(({ address, id }) => `import {\n  to = ${address}\n  id = "${id}"\n}\n`);
  await terraform.config('imports.tf', blocks.join('\n'));
  await terraform.apply(CHANGED);
  await terraform.remove('imports.tf');
  assert.equal(await terraform.plan(CHANGED), 'empty');
  const again = new Map((await terraform.resources()).map(({ address, id }) => [address, id]));
  for (const { address, id } of known) assert.equal(again.get(address), id, address);
}

/** Somebody else changes one thing and deletes another. */
async function drift(terraform: Terraform, world: World): Promise<void> {
  const all = await terraform.resources();
  const idOf = (type: string): string => all.find((one) => one.type === type)?.id ?? '';
  const changed = await world.api('PATCH', `/credentials/${idOf('ngrok_credential')}`, { description: 'by hand' });
  assert.equal(changed.status, 200, changed.text);
  const [type, route] = terraform.version.drifts;
  const deleted = await world.api('DELETE', `${route}/${idOf(type)}`);
  assert.equal(deleted.status, 204, deleted.text);
  assert.match(await terraform.plan(CHANGED), /1 to add, 1 to change, 0 to destroy/);
  await terraform.apply(CHANGED);
  assert.equal(await terraform.plan(CHANGED), 'empty');
  if (makesEndpoints(terraform)) await serves(world, 'goodbye');
}

/** Domains, endpoints and credentials, all in one apply; then none of them. */
async function many(terraform: Terraform, world: World): Promise<void> {
  const { files, counts } = terraform.version.many;
  for (const file of files) await terraform.config(path.basename(file), await readFile(file, 'utf8'));
  await terraform.apply(CHANGED);
  assert.equal(await terraform.plan(CHANGED), 'empty');
  const shown = async (route: string): Promise<number> =>
    (await world.rows(route)).filter(({ description }) => description === 'one of many').length;
  for (const [route, count] of Object.entries(counts)) assert.equal(await shown(route), count, route);
  for (const file of files) await terraform.remove(path.basename(file));
  await terraform.apply(CHANGED);
  for (const route of Object.keys(counts)) assert.equal(await shown(route), 0, route);
}

/** The server ends in order while it is asked for much; a second apply finishes what the first could not. */
async function interrupted(terraform: Terraform, world: World): Promise<void> {
  const variables = { ...CHANGED, teams: String(TEAMS) };
  const args = ['apply', '-auto-approve', '-input=false', '-no-color', '-parallelism=20'];
  const first = terraform.run(args, variables);
  await new Promise<void>((resolve, reject) => {
    const look = async (): Promise<void> => {
      if ((await world.rows('/ip_policies')).length > TEAMS / 4) resolve();
      else setTimeout(() => void look().catch(reject), 10);
    };
    void look().catch(reject);
  });
  await world.restart('SIGTERM');
  await first;
  await terraform.apply(variables);
  assert.equal(await terraform.plan(variables), 'empty');
  const teams = (await world.rows('/ip_policies')).filter((row) => /^team \d+$/.test(String(row['description'])));
  assert.equal(teams.length, TEAMS);
}
