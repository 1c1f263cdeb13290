/** The launcher: whatever Node starts `postern`, from wherever, Node 24 does the work. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAlive } from '../support/is-alive.ts';
import { olderNode } from '../support/older-node.ts';
import { FREE_PORTS, repositoryRoot } from '../support/platform.ts';
import { until } from '../support/until.ts';

const bin = path.join(repositoryRoot, 'packages', 'cli', 'bin', 'postern.js');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-launcher-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

/** No server is started: this setting is refused, by a message that shows where relative names were looked for. */
const REFUSED = ['server', '--config', 'relative.yml'];

describe('started by', () => {
  test('Node 24, runs in the same process', async () => {
    expect(await run(process.execPath, [bin, 'version'])).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^postern version \d/),
    });
    expect((await run(process.execPath, [bin, ...REFUSED])).code).toBe(2);
  });

  test('an older Node, hands over to the locked one, exit code and all', async ({ skip }) => {
    const node = olderNode() ?? '';
    skip(node === '', 'no Node 20 to 23 is on PATH');
    expect(await run(node, [bin, 'version'])).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^postern version \d/),
    });
    const { code, output } = await run(node, [bin, ...REFUSED]);
    expect(output).toContain(`--config ${path.join(folder, 'relative.yml')}`);
    expect(code).toBe(2);
  });

  test('npx, from a folder deep in the clone: file names are meant from there', async () => {
    const deep = path.join(repositoryRoot, 'packages', 'edge', 'src', 'http');
    const { code, output } = await run('npx', ['postern', ...REFUSED], { cwd: deep });
    expect(output).toContain(`--config ${path.join(deep, 'relative.yml')}`);
    expect(code).toBe(2);
  });

  test('another program that npx started, which goes to a folder of its own: from that folder', async () => {
    const env = { npm_lifecycle_event: 'npx', npm_lifecycle_script: 'vitest', INIT_CWD: repositoryRoot };
    const { output } = await run(process.execPath, [bin, ...REFUSED], { env });
    expect(output).toContain(`--config ${path.join(folder, 'relative.yml')}`);
  });
});

describe.each(['SIGTERM', 'SIGHUP'] as const)('%s to npx', (signal) => {
  test('ends the server that it started, in order', async () => {
    const dataDir = await mkdtemp(path.join(folder, 'npx-'));
    const npx = spawn('npx', ['postern', 'server', `--data-dir=${dataDir}`, '--log-format=json', ...FREE_PORTS], {
      cwd: repositoryRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, HOME: dataDir, XDG_CONFIG_HOME: dataDir, npm_config_cache: path.join(folder, 'npm') },
    });
    let output = '';
    npx.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    npx.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    // The server has these too: they close when it is gone.
    const closed = once(npx, 'close');
    const { pid } = await until(
      async () => JSON.parse(await readFile(path.join(dataDir, 'runtime.json'), 'utf8')) as { pid: number },
    );
    npx.kill(signal);
    await closed;
    expect(output).toContain('"msg":"stopped"');
    await until(() => !isAlive(pid));
  });
});

test('npm start takes file names from where the user is, not from the root of the clone', async () => {
  const config = path.join(repositoryRoot, 'packages', 'relative.yml');
  expect(existsSync(config)).toBe(false);
  const args = ['--prefix', repositoryRoot, 'start', '--silent', '--', '--config', 'relative.yml'];
  const { code, output } = await run('npm', args, { cwd: path.join(repositoryRoot, 'packages') });
  expect(output).toContain(`--config ${config}`);
  expect(code).toBe(2);
});
