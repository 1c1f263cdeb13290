/** The outside promise: `npm start` prints links and serves the demo; SIGTERM to npm ends everything with exit code 0. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '@postern/edge/testing/free-port';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isAlive } from '../support/is-alive.ts';
import { FREE_PORTS, type Runtime, repositoryRoot, splitAddress } from '../support/platform.ts';
import { PATIENCE_MS, until } from '../support/until.ts';

let dataDir: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'postern-start-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(dataDir, { recursive: true, force: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly runtime: Runtime;
  readonly output: () => string;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

async function npmStart(env: Record<string, string> = {}, args: readonly string[] = FREE_PORTS): Promise<Started> {
  const child = spawn('npm', ['start', '--', ...args, `--data-dir=${dataDir}`], {
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, XDG_CONFIG_HOME: dataDir, ...env },
  });
  children.push(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  const runtime = await until(async () => {
    if (child.exitCode !== null) throw new Error(output);
    if (!output.includes('is ready.')) return null;
    return JSON.parse(await readFile(path.join(dataDir, 'runtime.json'), 'utf8')) as Runtime;
  });
  return { child, runtime, output: () => output, ended };
}

function get(address: string, host: string, route: string): Promise<{ status: number; text: string }> {
  const [hostname, port] = splitAddress(address);
  return new Promise((resolve, reject) => {
    http
      .get({ host: hostname, port, path: route, headers: { host }, agent: false }, (reply) => {
        let text = '';
        reply.on('data', (chunk: Buffer) => (text += chunk.toString()));
        reply.on('end', () => resolve({ status: reply.statusCode ?? 0, text }));
      })
      .on('error', reject);
  });
}

describe('npm start', () => {
  test('writes runtime.json when the demo can be visited, not before; its links lead somewhere', async () => {
    const child = spawn('npm', ['start', '--', ...FREE_PORTS, `--data-dir=${dataDir}`], {
      cwd: repositoryRoot,
      stdio: 'ignore',
      env: { ...process.env, XDG_CONFIG_HOME: dataDir },
    });
    children.push(child);
    const file = path.join(dataDir, 'runtime.json');
    const { http_addr, metrics_url } = await until(
      async () => JSON.parse(await readFile(file, 'utf8')) as Runtime,
      PATIENCE_MS,
      1,
    );
    const visit = (name: string, route: string): Promise<{ status: number; text: string }> =>
      get(http_addr, `${name}.postern.localhost:${splitAddress(http_addr)[1]}`, route);
    const [app, hello, behind] = await Promise.all([visit('app', '/'), visit('hello', '/'), visit('hello', '/app')]);
    expect([app.status, hello.status, behind.status]).toEqual([200, 200, 200]);
    expect((await fetch(`${metrics_url}/readyz`)).status).toBe(200);

    for (const [name, page] of [
      ['app', app],
      ['hello', hello],
      ['hello', behind],
    ] as const) {
      const links = [...page.text.matchAll(/href="([^"]+)"/g)].map(([, link = '']) => link);
      expect(links.length, page.text).toBeGreaterThan(0);
      for (const link of links.filter((route) => !route.endsWith('/events'))) {
        const there = await visit(name, link);
        expect([link, there.status]).toEqual([link, 200]);
        // The policy of hello answers everything else; a link of the application must not end there.
        if (link !== '/app') expect(there.text, link).not.toContain('Hello 127.0.0.1');
      }
    }
    child.kill('SIGTERM');
    await once(child, 'exit');
  });

  test('prints the links, serves the demo, writes runtime.json, and stops cleanly', async () => {
    // A port that nobody else comes by, since it is refused at the end.
    const visitors = `--http-listen=127.0.0.1:${await freePort()}`;
    const others = FREE_PORTS.filter((flag) => !flag.startsWith('--http-listen'));
    const { child, runtime, output, ended } = await npmStart({}, [...others, visitors]);
    const port = splitAddress(runtime.http_addr)[1];
    expect(output()).toContain(`http://app.postern.localhost:${port}`);
    expect(output()).toContain(`http://hello.postern.localhost:${port}`);
    expect(output().indexOf('http://app.')).toBeLessThan(output().indexOf('https://app.'));
    expect(Object.keys(runtime).toSorted()).toEqual([
      'agent_addr',
      'api_key_path',
      'api_url',
      'authtoken_path',
      'base_domains',
      'ca_path',
      'http_addr',
      'https_addr',
      'metrics_url',
      'pid',
      'tcp_ports',
      'version',
    ]);
    expect((await stat(path.join(dataDir, 'runtime.json'))).mode & 0o777).toBe(0o600);
    for (const file of [runtime.api_key_path, runtime.authtoken_path]) {
      expect((await stat(file)).mode & 0o777, file).toBe(0o600);
    }
    const host = (name: string): string => `${name}.postern.localhost:${port}`;
    expect(await get(runtime.http_addr, host('app'), '/')).toMatchObject({
      status: 200,
      text: expect.stringContaining('It works'),
    });
    expect(await get(runtime.http_addr, host('hello'), '/')).toMatchObject({
      status: 200,
      text: expect.stringContaining('Hello 127.0.0.1'),
    });
    expect(await get(runtime.http_addr, host('hello'), '/app')).toMatchObject({
      status: 200,
      text: expect.stringContaining('It works'),
    });
    const ready = await fetch(`${runtime.metrics_url}/readyz`);
    expect(ready.status).toBe(200);
    const metrics = await (await fetch(`${runtime.metrics_url}/metrics`)).text();
    expect(metrics).toMatch(/postern_http_requests_total\{status="2xx"\} [1-9]/);

    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(isAlive(runtime.pid)).toBe(false);
    expect(existsSync(path.join(dataDir, 'runtime.json'))).toBe(false);
    await expect(get(runtime.http_addr, host('app'), '/')).rejects.toThrow(/ECONNREFUSED/);
  });

  test('Ctrl+C, which reaches every process of the group, stops it as cleanly', async () => {
    const { child, runtime, ended } = await npmStart();
    // As a terminal does: the server gets the signal itself, and again from its launcher.
    process.kill(runtime.pid, 'SIGINT');
    child.kill('SIGINT');
    const { code } = await ended;
    expect(code === 0 || code === 130).toBe(true);
    await until(() => !isAlive(runtime.pid));
  });

  test('leaves no server behind when the processes above it are killed', async () => {
    const { child, runtime, ended } = await npmStart();
    child.kill('SIGKILL');
    await ended;
    await until(() => !isAlive(runtime.pid));
  });

  test('a taken port moves the demo to the next one and says so', async () => {
    const blocker = http.createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as { port: number };
    const args = [...FREE_PORTS.filter((flag) => !flag.startsWith('--http-listen')), `--http-listen=127.0.0.1:${port}`];
    try {
      const { child, runtime, output, ended } = await npmStart({}, args);
      expect(output()).toContain(`port ${port} (--http-listen) is taken`);
      expect(splitAddress(runtime.http_addr)[1]).not.toBe(port);
      child.kill('SIGTERM');
      expect((await ended).code).toBe(0);
    } finally {
      await new Promise((resolve) => blocker.close(resolve));
    }
  });
});

describe('postern server', () => {
  const run = (
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<{ code: number | null; output: string }> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, [path.join(repositoryRoot, 'packages/cli/bin/postern.js'), ...args], {
        cwd: dataDir,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, XDG_CONFIG_HOME: dataDir, ...env },
      });
      children.push(child);
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
      // Not 'exit': by then not all that it printed need be here.
      child.once('close', (code) => resolve({ code, output }));
    });

  test.each([
    [['--http-listen', '127.0.0.1:99999'], '--http-listen'],
    [['--auto-reserve', 'maybe'], '--auto-reserve maybe: use one of any, base, off'],
    [['--base-domain', 'not_a_domain'], '--base-domain'],
    [['--tls-certificate', 'missing.pem,missing.key'], 'missing.pem'],
    [['--database', 'postgres://user:hunter2@db/x'], '--database'],
    [['--config', 'missing.yml'], 'missing.yml'],
  ])('%s is refused by name', async (args, words) => {
    const { code, output } = await run(['server', `--data-dir=${dataDir}`, ...FREE_PORTS, ...args]);
    expect(code).toBe(2);
    expect(output).toContain(words);
    expect(output).not.toContain('hunter2');
    expect(output).not.toMatch(/\n\s+at /);
  });

  test('a taken port is refused with the name of its flag', async () => {
    const blocker = http.createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as { port: number };
    for (const flag of ['--http-listen', '--https-listen', '--agent-listen', '--api-listen', '--metrics-listen']) {
      const args = [...FREE_PORTS.filter((other) => !other.startsWith(`${flag}=`)), `${flag}=127.0.0.1:${port}`];
      const { code, output } = await run(['server', `--data-dir=${dataDir}`, ...args]);
      expect(output).toContain(`${flag} 127.0.0.1:${port}: the port is taken`);
      expect(code).toBe(2);
    }
    await new Promise((resolve) => blocker.close(resolve));
  });

  test('help teaches every flag', async () => {
    const { code, output } = await run(['server', '--help']);
    expect(code).toBe(0);
    for (const word of ['--base-domain', '--auto-reserve', 'POSTERN_HTTP_LISTEN', 'Examples:'])
      expect(output).toContain(word);
    expect((await run(['sever'])).output).toContain('server');
    expect(await run([])).toMatchObject({ code: 0, output: expect.stringContaining('postern http 3000') });
    expect((await run(['version'])).output).toMatch(/^postern version \d+\.\d+\.\d+/);
  });
});
