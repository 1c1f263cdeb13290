/** The commands of docs/operate.md, docs/use.md and docs/docker.md do what they are there for, as they stand. */
import { mkdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postern } from '../support/cli.ts';
import { Platform, repositoryRoot } from '../support/platform.ts';
import { Tunnel } from '../support/tunnel.ts';
import { until } from '../support/until.ts';
import { httpUpstream, type Upstream } from '../support/upstream.ts';

interface Line {
  readonly page: string;
  readonly words: readonly string[];
}

/** Every `postern …` of the blocks for a shell; behind `docker run`, what the image is told. */
function linesOf(page: string): readonly Line[] {
  const text = readFileSync(path.join(repositoryRoot, 'docs', page), 'utf8');
  return [...text.matchAll(/^ *```sh\n(.*?)^ *```/gms)]
    .flatMap(([, block = '']) => block.replaceAll(/ *\\\n\s*/g, ' ').split('\n'))
    .map((line) => /(?:^\s*|&& exec |postern:\S+ )postern (.*)$/.exec(line)?.[1] ?? '')
    .filter((line) => line !== '')
    .map((line) => ({ page, words: wordsOf(line) }));
}

/** As a shell splits them, as far as the pages need it. */
function wordsOf(line: string): readonly string[] {
  return [...line.replace(/\s+# .*$/, '').matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) =>
    word.replaceAll(/["']/g, ''),
  );
}

const LINES = ['operate.md', 'use.md', 'docker.md', 'certificates.md'].flatMap(linesOf);
const beginning = (...starts: readonly string[]): readonly Line[] =>
  LINES.filter(({ words }) => starts.some((start) => words.join(' ').startsWith(start)));
/** Each once. */
const titled = (lines: readonly Line[]): readonly (readonly [string, readonly string[]])[] => [
  ...new Map(lines.map(({ words }) => [words.join(' '), words])),
];

/** Run elsewhere: login.test.ts, backup.test.ts, and the suites of certificates. */
const ELSEWHERE = ['login ', 'restore ', 'certificates '];
const SERVERS = beginning('server');
const SERVICES = beginning('service ');
const SHARES = beginning('http ', 'tcp ', 'tls ');
const CALLS = beginning('api ', 'backup ');
const CONFIGURES = beginning('config ', 'start ');

let platform: Platform;
let upstream: Upstream;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-guides-'));
  platform = await Platform.start();
  upstream = await httpUpstream((_request, response) => response.end('hello'));
});
afterAll(async () => {
  await platform?.dispose();
  await upstream?.close();
  await rm(folder, { recursive: true, force: true });
});
const environment = (): Record<string, string> => ({
  HOME: folder,
  XDG_CONFIG_HOME: folder,
  POSTERN_DATA_DIR: platform.dataDir,
});

test('every line of the pages is run by somebody', () => {
  const run = new Set([...SERVERS, ...SERVICES, ...SHARES, ...CALLS, ...CONFIGURES, ...beginning(...ELSEWHERE)]);
  expect(LINES.filter((line) => !run.has(line)).map(({ page, words }) => `${page}: ${words.join(' ')}`)).toEqual([]);
  expect(LINES.length).toBeGreaterThan(30);
});

describe('servers', () => {
  test('the configuration of the first page serves', async () => {
    const page = readFileSync(path.join(repositoryRoot, 'docs', 'operate.md'), 'utf8');
    const [, yaml = ''] = /^ *```yaml\n( *# \/etc\/postern\.yml\n.*?)^ *```/ms.exec(page) ?? [];
    expect(yaml).toContain('base_domain: tun.example.com');
    const config = path.join(folder, 'postern.yml');
    // Nobody is asked for certificates from here, and the log is where this user may write.
    await writeFile(config, yaml.replaceAll(/^ *acme_.*\n/gm, '').replace('/var/log/postern', folder));
    const server = await Platform.start({ args: [`--config=${config}`] });
    try {
      expect(server.runtime.base_domains).toEqual(['tun.example.com']);
      expect((await server.visit('http://nobody.tun.example.com/')).status).toBe(404);
      // Behind runtime.json, which tells that it serves.
      await until(() => server.output.includes(`postern login 'postern://`) || null);
    } finally {
      await server.dispose();
    }
    expect(await readFile(path.join(folder, 'access.log'), 'utf8')).toContain('"host":"nobody.tun.example.com"');
  });

  // The last setting that is looked at is a wrong one: what is said of it alone shows that the others are understood.
  test.concurrent.each(titled(SERVERS))('postern %s', async (_line, words) => {
    const config = path.join(folder, 'any.yml');
    await writeFile(config, 'base_domain: tun.example.com\n');
    const args = words.map((word) => (word === '/etc/postern.yml' ? config : word));
    const { code, stderr } = await postern([...args, '--log-level', 'loud'], environment());
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^postern server: --log-level loud: [^\n]*\n$/)]);
  });
});

test.concurrent.each(titled(SERVICES))('postern %s', async (_line, words) => {
  const config = path.join(folder, 'service.yml');
  await writeFile(config, 'version: 3\n');
  const args = words.map((word) => (word.startsWith('/etc/') ? config : word));
  expect(await postern([...args, '--dry-run'], environment())).toMatchObject({ code: 0, stderr: '' });
});

describe('sharing', () => {
  test.each(titled(SHARES))('postern %s', async (_line, words) => {
    const site = path.join(folder, 'photos');
    mkdirSync(site, { recursive: true });
    const page = readFileSync(path.join(repositoryRoot, 'docs', 'use.md'), 'utf8');
    const [, policy = ''] = /^```yaml\n# team\.yml\n(.*?)^```/ms.exec(page) ?? [];
    await writeFile(path.join(folder, 'team.yml'), policy);
    const places: Record<string, string> = { '3000': String(upstream.port), 'file:///srv/photos': `file://${site}` };
    const args = words.map((word) => places[word] ?? word);
    const tunnel = new Tunnel([...args, '--web-addr=false'], { cwd: folder, env: environment() });
    try {
      const url = await tunnel.url();
      const wanted = words[words.indexOf('--url') + 1];
      if (words.includes('--url')) expect(url).toBe(wanted);
      if (!/^https?:/.test(url)) return;
      const status = words.includes('team.yml') ? 401 : 200;
      expect((await platform.visit(`${url}/`)).status).toBe(status);
    } finally {
      await tunnel.stop();
    }
  });
});

test('calls of the API, and the backup', async () => {
  await writeFile(path.join(folder, 'front.yml'), 'on_http_request:\n  - actions: [{ type: deny }]\n');
  let id = '';
  for (const { words } of CALLS) {
    const places: Record<string, string> = {
      'ep_…': id,
      'front.yml': path.join(folder, 'front.yml'),
      '/var/backups/postern.db': path.join(folder, 'postern.db'),
      '/var/lib/postern': platform.dataDir,
    };
    // oxlint-disable-next-line no-await-in-loop -- one makes what the next changes
    const done = await postern(
      words.map((word) => places[word] ?? word),
      environment(),
    );
    expect(done, words.join(' ')).toMatchObject({ code: 0 });
    id = /"id": ?"(ep_\w+)"/.exec(done.stdout)?.[1] ?? id;
  }
  expect(id).toMatch(/^ep_/);
});

test('the configuration, from its first key to what it starts', async () => {
  const home = path.join(folder, 'ada');
  await mkdir(home);
  const env = { ...environment(), HOME: home, XDG_CONFIG_HOME: home };
  for (const { words } of beginning('config ')) {
    const args = words.map((word) => (word.startsWith('$(cat') ? platform.authtoken : word));
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as on the page
    expect(await postern(args, env), words.join(' ')).toMatchObject({ code: 0 });
  }
  expect(await readFile(path.join(home, 'postern', 'agent.yml'), 'utf8')).toContain('connect.tunnel.example.com:4443');
  for (const { words } of beginning('start ')) {
    const config = path.join(home, 'web.yml');
    // oxlint-disable-next-line no-await-in-loop
    await writeFile(config, `version: 3\nendpoints:\n  - name: web\n    upstream: { url: ${upstream.port} }\n`);
    const tunnel = new Tunnel([...words, '--config', config, '--log-level', 'loud'], { cwd: home, env });
    // oxlint-disable-next-line no-await-in-loop
    expect((await tunnel.ended).stderr).toContain("option '--log-level <level>' argument 'loud' is invalid");
  }
});
