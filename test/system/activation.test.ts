/** Socket activation: a service manager keeps the listening sockets, so that a restart refuses nobody. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { repositoryRoot, type Runtime, splitAddress } from '../support/platform.ts';
import { listening, type ServiceManager, serviceManager } from '../support/service-manager.ts';
import { until } from '../support/until.ts';

let dataDir: string;
let manager: ServiceManager | null = null;
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'postern-activation-'));
});
afterEach(async () => {
  await manager?.retire();
  const runtime = await readRuntime().catch(() => null);
  if (runtime !== null) process.kill(runtime.pid, 'SIGTERM');
  await manager?.ended;
  manager = null;
  await rm(dataDir, { recursive: true, force: true });
});

async function readRuntime(): Promise<Runtime> {
  return JSON.parse(await readFile(path.join(dataDir, 'runtime.json'), 'utf8')) as Runtime;
}

function get(port: number, host: string): Promise<number | string> {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, headers: { host }, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', (error) => resolve(error.message));
    });
    request.on('error', (error) => resolve(error.message));
  });
}

test.skipIf(process.platform === 'win32').for(['started by Node 24', 'started by the launcher'])(
  'a restart under traffic fails no request: %s',
  async (how) => {
    const names = ['http', 'https', 'agent', 'api', 'metrics'] as const;
    const start =
      how === 'started by Node 24'
        ? [process.execPath, path.join(repositoryRoot, 'packages', 'cli', 'src', 'main.ts')]
        : [process.execPath, path.join(repositoryRoot, 'scripts', 'node24.mjs'), 'packages/cli/src/main.ts'];
    // Two of them without a name that says what they are for: they are told by their ports.
    manager = await serviceManager({
      folder: dataDir,
      sockets: ['http', 'https', 'agent', 'some.socket', 'unknown'],
      command: ([, , , api, metrics]) => [
        ...start,
        'server',
        // A busy machine refuses nobody here.
        '--arrival-timeout=0',
        `--data-dir=${dataDir}`,
        '--tcp-listen=127.0.0.1:0',
        `--api-listen=127.0.0.1:${api}`,
        `--metrics-listen=127.0.0.1:${metrics}`,
      ],
      env: { ...process.env, HOME: dataDir, XDG_CONFIG_HOME: dataDir },
    });
    const { output } = manager;
    const ports = Object.fromEntries(names.map((name, index) => [name, manager?.ports[index] ?? 0]));

    const first = await until(readRuntime).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${output()}`);
    });
    expect(splitAddress(first.http_addr)[1]).toBe(ports['http']);
    expect(splitAddress(first.https_addr)[1]).toBe(ports['https']);
    expect(splitAddress(first.agent_addr)[1]).toBe(ports['agent']);
    expect(new URL(first.api_url).port).toBe(String(ports['api']));
    expect(new URL(first.metrics_url).port).toBe(String(ports['metrics']));
    const apiKey = (await readFile(first.api_key_path, 'utf8')).trim();
    const made = await fetch(`${first.api_url}/endpoints`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'ngrok-version': '2', 'content-type': 'application/json' },
      body: JSON.stringify({
        url: 'http://kept.test',
        traffic_policy: '{"on_http_request":[{"actions":[{"type":"custom-response","config":{"status_code":200}}]}]}',
      }),
    });
    expect(made.status).toBe(201);

    const answers: (number | string)[] = [];
    const traffic = new AbortController();
    const visitors = Array.from({ length: 4 }, async () => {
      while (!traffic.signal.aborted) {
        // oxlint-disable-next-line no-await-in-loop -- one visitor after the other
        answers.push(await get(ports['http'] ?? 0, 'kept.test'));
      }
    });
    await until(() => answers.length > 20);
    process.kill(first.pid, 'SIGTERM');
    const second = await until(async () => {
      const runtime = await readRuntime();
      return runtime.pid === first.pid ? null : runtime;
    });
    const before = answers.length;
    await until(() => answers.length > before + 20);
    traffic.abort();
    await Promise.all(visitors);
    expect(second).toEqual({ ...first, pid: second.pid, tcp_ports: second.tcp_ports });
    expect(answers.filter((answer) => answer !== 200)).toEqual([]);
    expect(output()).not.toMatch(/"level":"(warn|error)"/);
  },
);

test.skipIf(process.platform === 'win32')('a socket that is for nothing is refused by name', async () => {
  const { server, fd } = await listening();
  const main = path.join(repositoryRoot, 'packages', 'cli', 'src', 'main.ts');
  const child = spawn(
    'sh',
    ['-c', 'LISTEN_PID=$$ exec "$@"', 'sh', process.execPath, main, 'server', `--data-dir=${dataDir}`],
    {
      stdio: ['ignore', 'ignore', 'pipe', fd],
      env: { ...process.env, HOME: dataDir, LISTEN_FDS: '1', LISTEN_FDNAMES: 'odd.socket' },
    },
  );
  let output = '';
  child.stderr?.on('data', (chunk: Buffer) => (output += String(chunk)));
  expect(await once(child, 'close')).toEqual([2, null]);
  expect(output).toMatch(/LISTEN_FDS odd\.socket 127\.0\.0\.1:\d+: this socket is for no listener/);
  server.close();
});
