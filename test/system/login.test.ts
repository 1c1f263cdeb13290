/** `postern login`, as the server prints it, and the first use afterwards in another user's account. */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mainOf, Platform, repositoryRoot } from '../support/platform.ts';
import { Tunnel } from '../support/tunnel.ts';
import { until } from '../support/until.ts';
import { httpUpstream, type Upstream } from '../support/upstream.ts';
import { selfSigned } from '../support/certificates.ts';
import tls from 'node:tls';
import type { AddressInfo } from 'node:net';

let platform: Platform;
let upstream: Upstream;
beforeAll(async () => {
  platform = await Platform.start();
  await until(() => printed() !== '');
  upstream = await httpUpstream((_request, response) => response.end('hello'));
});
afterAll(async () => {
  await platform?.dispose();
  await upstream?.close();
});

/** Somebody else's account on this machine. */
async function user(name: string): Promise<{ home: string; env: NodeJS.ProcessEnv; file: string }> {
  const home = path.join(platform.dataDir, name);
  await mkdir(home);
  return { home, env: { HOME: home, XDG_CONFIG_HOME: home }, file: path.join(home, 'postern', 'agent.yml') };
}
/** What the server prints behind `npx postern login`. */
function printed(): string {
  const [, url = ''] = /npx postern login '(postern:[^']+)'/.exec(platform.output) ?? [];
  return url;
}
async function login(args: readonly string[], env: NodeJS.ProcessEnv, typed = '') {
  const child = spawn(process.execPath, [mainOf(repositoryRoot), 'login', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  child.stdin.end(typed);
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}
const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

test('the printed command and the token are enough: then postern http just works', async () => {
  const { home, env, file } = await user('ada');
  expect(printed()).toMatch(/^postern:\/\/localhost:\d+\?ca=[\w-]{43}$/);
  const done = await login([printed()], env, `${platform.authtoken}\n`);
  expect(done).toMatchObject({ code: 0, stderr: '' });
  expect(done.stdout).toMatch(/^Logged in to localhost:\d+.*\. Stored in .*agent\.yml\n$/);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const started = performance.now();
  const shared = new Tunnel(['http', String(upstream.port)], { cwd: home, env });
  try {
    expect((await platform.visit(await shared.url())).text).toBe('hello');
    console.log(
      `postern http to the first answer, after login: ${((performance.now() - started) / 1000).toFixed(2)} s`,
    );
  } finally {
    await shared.stop();
  }
});

test('with the token in the URL, or by flag, and an authority by file', async () => {
  const { env } = await user('grace');
  const withToken = printed().replace('//', `//${platform.authtoken}@`);
  expect((await login([withToken], env)).code).toBe(0);
  const { host } = new URL(printed().replace('postern:', 'https:'));
  const flags = ['--authtoken', platform.authtoken, '--connect-cas', platform.runtime.ca_path];
  expect((await login([host, ...flags], env)).code).toBe(0);
});

test('what the server does not take is not stored', async () => {
  const { env, file } = await user('mallory');
  const refused = await login([printed(), '--authtoken', `${'2'.repeat(27)}_${'3'.repeat(21)}`], env);
  expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('ERR_NGROK_107') });
  const { host } = new URL(printed().replace('postern:', 'https:'));
  const untrusted = await login([host, '--authtoken', platform.authtoken], env);
  expect(untrusted).toMatchObject({ code: 1, stderr: expect.stringContaining('--connect-cas FILE') });
  expect((await login(['postern://localhost:1', '--authtoken', 'T'], env)).code).toBe(1);
  expect((await login([printed()], env)).stderr).toContain('An authtoken is needed');
  expect((await login(['a b', '--authtoken', 'T'], env)).code).toBe(2);
  expect(await isThere(file)).toBe(false);
});

test('somebody else who answers there is not given the token', async () => {
  const { env, file } = await user('eve');
  const { cert, key } = await selfSigned('localhost');
  let heard = '';
  const server = tls.createServer({ cert, key }, (socket) => {
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const pin = new URL(printed().replace('postern:', 'https:')).searchParams.get('ca');
    const refused = await login([`postern://localhost:${port}?ca=${pin}`, '--authtoken', 'secret'], env);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('does not have the authority') });
    expect(heard).toBe('');
    expect(await isThere(file)).toBe(false);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test('the token is in the configuration alone', async () => {
  const { env, file } = await user('joan');
  const done = await login([printed(), '--authtoken', platform.authtoken], env);
  expect(done.stdout + done.stderr).not.toContain(platform.authtoken);
  expect(await readFile(file, 'utf8')).toContain(platform.authtoken);
});
