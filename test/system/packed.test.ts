/**
 * The package that `npm run pack` makes, installed from its file into an empty folder with no network and an empty
 * cache. The Node that it brings would come from a registry: a link to that of this clone stands in for it, and npm
 * leaves out what is optional.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mainOf, Platform, repositoryRoot } from '../support/platform.ts';
import { olderNode } from '../support/older-node.ts';
import { until } from '../support/until.ts';
import { httpUpstream, type Upstream } from '../support/upstream.ts';

const RUNTIME = path.join(repositoryRoot, 'node_modules', `node-${process.platform}-${process.arch}`);

let folder: string;
/** Of the installed package, its command and its code. */
let installed: string;
let bin: string;
let platform: Platform;
let upstream: Upstream;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-packed-'));
  const env = { ...process.env, HOME: folder, npm_config_cache: path.join(folder, 'npm'), INIT_CWD: '' };
  const made = execFileSync(process.execPath, [path.join(repositoryRoot, 'scripts', 'pack.ts'), '--out', folder], {
    env,
  });
  const [, file = ''] = /^(\S+\.tgz) /.exec(made.toString()) ?? [];
  const prefix = path.join(folder, 'prefix');
  const install = ['install', '--global', '--offline', '--omit=optional', '--ignore-scripts', '--prefix', prefix, file];
  execFileSync('npm', install, { cwd: folder, env, stdio: 'pipe' });
  installed = path.join(prefix, 'lib', 'node_modules', 'postern');
  bin = path.join(prefix, 'bin', 'postern');
  if (existsSync(RUNTIME)) {
    await mkdir(path.join(installed, 'node_modules'));
    await symlink(RUNTIME, path.join(installed, 'node_modules', path.basename(RUNTIME)));
  }
  platform = await Platform.start({ main: bin });
  upstream = await httpUpstream((request, response) => response.end(`hello ${request.url}`));
  // Half a minute of work for one processor.
}, 600_000);
afterAll(async () => {
  await platform?.dispose();
  await upstream?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Of a user who knows nothing of this clone. */
const environment = (): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOME: platform.dataDir,
  XDG_CONFIG_HOME: platform.dataDir,
  POSTERN_DATA_DIR: platform.dataDir,
});

async function filesOf(dir: string, ending: string): Promise<readonly string[]> {
  const files = await readdir(dir, { recursive: true });
  return files.filter((file) => file.endsWith(ending)).map((file) => path.join(dir, file));
}

describe('the package', () => {
  test('is complete: its code names nothing but itself and what Node has', async () => {
    const files = await filesOf(path.join(installed, 'dist'), '.js');
    expect(files.length).toBeGreaterThan(10);
    for (const file of files.filter((name) => !name.includes('inspector'))) {
      const code = await readFile(file, 'utf8');
      for (const [, target = ''] of code.matchAll(/^(?:import|export)\b[^'"\n]*? from ["']([^"'\n]+)["'];?$/gm)) {
        if (target.startsWith('.')) expect(existsSync(path.resolve(path.dirname(file), target)), target).toBe(true);
        else expect(target, file).toMatch(/^(node:|[a-z_/]+$)/);
      }
      expect(code, file).not.toContain(repositoryRoot);
    }
  });

  test('names the licence of each package of which there is code in it', async () => {
    const text = await readFile(path.join(installed, 'THIRD-PARTY.txt'), 'utf8');
    for (const name of ['fastify', 'pino', '@bufbuild/cel', 'react-dom', 'commander'])
      expect(text).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, 'm'));
    expect(text).not.toContain('@postern/');
  });

  test('starts with any Node from 20.19 on', async ({ skip }) => {
    const version = /^postern version \d+\.\d+\.\d+\n$/;
    const started = performance.now();
    expect(execFileSync(bin, ['version'], { env: environment() }).toString()).toMatch(version);
    process.stdout.write(`postern version: ${(performance.now() - started).toFixed(0)} ms\n`);
    const node = olderNode();
    skip(node === null || !existsSync(RUNTIME), 'no Node 20 to 23 is on PATH, or no Node 24 in this clone');
    expect(execFileSync(node ?? '', [bin, 'version'], { env: environment() }).toString()).toMatch(version);
  });

  test('has every command that the clone has', () => {
    const help = (main: string): string =>
      execFileSync(process.execPath, [main, '--help'], { env: environment() }).toString();
    expect(help(bin)).toBe(help(mainOf(repositoryRoot)));
    const { status, stderr } = spawnSync(bin, ['policy', 'check', 'no-such-file.yml'], {
      env: environment(),
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([2, expect.stringContaining('no-such-file.yml')]);
  });
});

describe('a server of it', () => {
  test('answers its API and checks passwords in a thread of its own', async () => {
    // bcrypt of "correct horse", cost 4.
    const config = { credentials: ['ada:{bcrypt}$2b$04$DDf9OYK.x406cIzVXTMq3uIt1dy/GYhbt7Ly1I44BdAcwewzXCe0m'] };
    const policy = { on_http_request: [{ actions: [{ type: 'basic-auth', config }, { type: 'custom-response' }] }] };
    const created = await platform.api('POST', '/endpoints', {
      url: 'https://locked.test',
      type: 'cloud',
      traffic_policy: JSON.stringify(policy),
    });
    expect(created.status, created.text).toBe(201);
    const visit = (password: string): Promise<number> =>
      platform
        .visit('https://locked.test/', { headers: { authorization: `Basic ${btoa(`ada:${password}`)}` } })
        .then(({ status }) => status);
    expect([await visit('wrong horse'), await visit('correct horse')]).toEqual([401, 200]);
  });

  test('is found by an agent of it, which serves and shows what passes', async () => {
    const flags = ['--web-addr', '127.0.0.1:0', '--log', 'stdout', '--log-format', 'json'];
    const agent = spawn(bin, ['http', String(upstream.port), ...flags], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      let said = '';
      agent.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
      const lines = (): Record<string, string>[] =>
        said
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as Record<string, string>);
      const of = (msg: string): Promise<Record<string, string>> =>
        until(() => lines().find((line) => line['msg'] === msg) ?? null);
      const url = (await of('started tunnel'))['url'] ?? '';
      expect((await platform.visit(`${url}/seen`)).text).toBe('hello /seen');

      const web = `http://${(await of('starting web service'))['addr']}`;
      const page = await until(async () => {
        const answer = await fetch(`${web}/inspect/http`);
        return answer.status === 200 ? answer.text() : null;
      });
      const [, script = ''] = /<script[^>]* src="([^"]+)"/.exec(page) ?? [];
      expect((await fetch(new URL(script, web))).status).toBe(200);
      expect(await (await fetch(`${web}/api/requests/http`)).text()).toContain('/seen');
    } finally {
      agent.kill('SIGTERM');
    }
  });
});

test('a server of it with workers says how its command is typed', async () => {
  const spread = await Platform.start({ main: bin, args: ['--workers=2'] });
  try {
    expect((await spread.visit('http://nobody.test/')).status).toBe(404);
    await until(() => spread.output.includes('\n  postern http 3000\n') || null);
  } finally {
    await spread.dispose();
  }
});

describe('postern/agent', () => {
  /** A program beside whose folder the package was installed. */
  async function program(file: string, source: string): Promise<string> {
    const place = path.join(folder, 'program');
    await mkdir(path.join(place, 'node_modules', '@types'), { recursive: true });
    for (const [name, target] of [
      ['postern', installed],
      ['@types/node', path.join(repositoryRoot, 'node_modules', '@types', 'node')],
      ['undici-types', path.join(repositoryRoot, 'node_modules', 'undici-types')],
    ] as const)
      await symlink(target, path.join(place, 'node_modules', name)).catch(() => {});
    await writeFile(path.join(place, file), source);
    return path.join(place, file);
  }

  test.each([
    ['this Node', process.execPath],
    ['a Node 20 to 23', olderNode()],
  ])('is an ES module for %s', async (_name, node) => {
    if (node === null) return;
    const file = await program(
      'share.mjs',
      `import { forward } from 'postern/agent';
       const shared = await forward({ to: ${upstream.port}, url: 'https://program.test' });
       console.log(shared.url);
       process.stdin.once('data', () => shared.close().then(() => process.stdin.destroy()));`,
    );
    const child = spawn(node, [file], { env: environment(), stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => child.once('close', resolve));
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await until(() => said === 'https://program.test\n' || null);
    expect((await platform.visit('https://program.test/seen')).text).toBe('hello /seen');
    child.stdin.end('stop\n');
    expect(await ended).toBe(0);
  });

  test('has types', async () => {
    const compile = async (line: string): Promise<string> => {
      const file = await program(
        'typed.mts',
        `import { connect, forward } from 'postern/agent';
         const shared = await forward({ to: 3000, url: 'https://typed.test' });
         const words: string = shared.url;
         const agent = await connect({ onStatus: ({ state }) => console.log(state === 'online') });
         console.log(words, (await shared.closed)?.code, agent);
         ${line}`,
      );
      const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
      const tsc = path.join(repositoryRoot, 'node_modules', 'typescript', 'bin', 'tsc');
      return spawnSync(process.execPath, [tsc, ...options, file], { cwd: path.dirname(file), encoding: 'utf8' }).stdout;
    };
    expect(await compile('')).toBe('');
    expect(await compile('await forward({ to: true });')).toContain("Type 'boolean' is not assignable");
  });
});
