/** `postern server` as an operator runs it: certificates, credentials, restarts, proxies, the stop. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { freePort } from '@postern/edge/testing/free-port';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { FREE_PORTS, Platform, type PlatformOptions, repositoryRoot, splitAddress } from '../support/platform.ts';
import { Tunnel } from '../support/tunnel.ts';
import { PATIENCE_MS, until } from '../support/until.ts';
import { httpUpstream, type Upstream } from '../support/upstream.ts';

const platforms: Platform[] = [];
const tunnels: Tunnel[] = [];
let upstream: Upstream;
beforeEach(async () => {
  upstream = await httpUpstream((request, response) => response.end(JSON.stringify(request.headers)));
});
afterEach(async () => {
  await Promise.all(tunnels.splice(0).map((started) => started.stop('SIGKILL')));
  for (const started of platforms.splice(0)) await started.dispose();
  await upstream.close();
});

async function server(options: PlatformOptions = {}): Promise<Platform> {
  const started = await Platform.start(options);
  platforms.push(started);
  return started;
}
async function share(platform: Platform, ...args: string[]): Promise<string> {
  const started = Tunnel.beside(platform, ['http', String(upstream.port), ...args]);
  tunnels.push(started);
  return started.url();
}
const answering = (body: string): string =>
  JSON.stringify({
    on_http_request: [{ actions: [{ type: 'custom-response', config: { status_code: 200, body } }] }],
  });
const target = (address: string): { host: string; port: number } => {
  const [host, port] = splitAddress(address);
  return { host, port };
};
/** SHA-256 of the certificate that a new connection gets. */
async function certificateFor(platform: Platform, servername: string, ca: string | Buffer): Promise<string> {
  const socket = tls.connect({ ...target(platform.runtime.https_addr), servername, ca });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

describe('certificates given by file', () => {
  test('are read again on SIGHUP for new connections; a bad file keeps the old ones; open connections live on', async () => {
    const platform = await server();
    const file = (name: string): string => path.join(platform.dataDir, name);
    const write = async (): Promise<Buffer> => {
      const { cert, key } = await selfSigned('given.test');
      await Promise.all([writeFile(file('given.pem'), cert), writeFile(file('given.key'), key)]);
      return cert;
    };
    const first = await write();
    await platform.stop();
    const again = await Platform.start({
      dataDir: platform.dataDir,
      args: [`--tls-certificate=${file('given.pem')},${file('given.key')}`],
    });
    try {
      await again.api('POST', '/endpoints', { url: 'https://given.test', traffic_policy: answering('given') });
      const before = await certificateFor(again, 'given.test', first);
      const open = tls.connect({ ...target(again.runtime.https_addr), servername: 'given.test', ca: first });
      await once(open, 'secureConnect');

      const second = await write();
      again.process.kill('SIGHUP');
      const after = await until(() => certificateFor(again, 'given.test', second).catch(() => null));
      expect(after).not.toBe(before);

      await writeFile(file('given.key'), 'broken');
      again.process.kill('SIGHUP');
      await until(() => again.output.includes('the old ones stay in use'));
      expect(await certificateFor(again, 'given.test', second)).toBe(after);

      open.write('GET / HTTP/1.1\r\nHost: given.test\r\nConnection: close\r\n\r\n');
      const [answer] = await once(open, 'data');
      expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /);
      // A name that no file covers has a certificate of the local authority.
      expect(await certificateFor(again, 'x.postern.localhost', again.ca)).toEqual(expect.any(String));
    } finally {
      await again.stop();
    }
  });
});

describe('the data folder', () => {
  test('keeps endpoints, authority and credentials over a restart; a killed server leaves nothing in the way', async () => {
    const platform = await server();
    const { dataDir, ca, apiKey } = platform;
    const created = await platform.api('POST', '/endpoints', {
      url: 'https://kept.test',
      traffic_policy: answering('kept'),
    });
    expect(created.status).toBe(201);
    await platform.stop('SIGKILL');
    const stale = JSON.parse(await readFile(path.join(dataDir, 'runtime.json'), 'utf8')) as { pid: number };
    const again = await Platform.start({ dataDir });
    try {
      expect(again.runtime.pid).not.toBe(stale.pid);
      expect(again.ca).toBe(ca);
      expect(again.apiKey).toBe(apiKey);
      // The port of the API, which is in every uri, is another one.
      const withoutPorts = (body: unknown): string => JSON.stringify(body).replaceAll(/127\.0\.0\.1:\d+/g, 'api');
      const { body } = await again.api('GET', `/endpoints/${created.body.id}`);
      expect(withoutPorts(body)).toBe(withoutPorts(created.body));
      expect((await again.visit('https://kept.test/')).text).toBe('kept');
    } finally {
      await again.stop();
    }
  });

  test('belongs to one server: a second one is refused and says who has it', async () => {
    const platform = await server();
    await expect(Platform.start({ dataDir: platform.dataDir })).rejects.toThrow(
      `Another process (pid ${platform.runtime.pid}) uses the data directory ${platform.dataDir}`,
    );
    expect(JSON.parse(await readFile(path.join(platform.dataDir, 'runtime.json'), 'utf8'))).toEqual(platform.runtime);
    expect((await platform.api('GET', '/endpoints')).status).toBe(200);
  });

  test('that cannot be made is refused by its flag', async () => {
    const platform = await server();
    const file = path.join(platform.dataDir, 'ca.pem');
    await expect(Platform.start({ dataDir: path.join(file, 'inside') })).rejects.toThrow(/ENOTDIR|--data-dir/);
  });

  test('--reset-credentials makes new ones and ends the old', async () => {
    const platform = await server();
    const { dataDir, apiKey, authtoken } = platform;
    await platform.stop();
    const again = await Platform.start({ dataDir, args: ['--reset-credentials'] });
    try {
      expect(again.apiKey).not.toBe(apiKey);
      expect(again.authtoken).not.toBe(authtoken);
      expect((await stat(again.runtime.api_key_path)).mode & 0o777).toBe(0o600);
      expect((await again.api('GET', '/endpoints')).status).toBe(200);
      const old = await again.api('GET', '/endpoints', undefined, { authorization: `Bearer ${apiKey}` });
      expect(old.status).toBe(403);
      const refused = Tunnel.beside(again, ['http', '3000', '--authtoken', authtoken]);
      expect(await refused.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_NGROK_107') });
      await share(again);
      // Nothing of them is in the log.
      for (const secret of [apiKey, authtoken, again.apiKey, again.authtoken]) {
        expect(again.output).not.toContain(secret);
      }
    } finally {
      await again.stop();
    }
  });
});

describe('settings', () => {
  test('come from flag, environment and file, in that order', async () => {
    const platform = await server();
    const config = path.join(platform.dataDir, 'postern.yml');
    await writeFile(config, 'base_domain: [file.test, second.test]\ntcp_host: tcp.file.test\nauto_reserve: base\n');
    const { runtime } = await server({
      args: [`--config=${config}`, '--tcp-host=tcp.flag.test'],
      env: { POSTERN_TCP_HOST: 'tcp.env.test' },
    });
    expect(runtime.base_domains).toEqual(['file.test', 'second.test']);
    const tcp = Tunnel.beside(platforms.at(-1) ?? platform, ['tcp', String(upstream.port)]);
    tunnels.push(tcp);
    expect(await tcp.url()).toMatch(/^tcp:\/\/tcp\.flag\.test:\d+$/);
  });

  test('public ports appear in URLs when they are not those of the scheme', async () => {
    const platform = await server({ args: ['--public-https-port=9443', '--public-http-port=80'] });
    expect(await share(platform, '--url', 'ports.test')).toBe('https://ports.test:9443');
    expect(await share(platform, '--url', 'http://ports.test')).toBe('http://ports.test');
  });

  test('agents may share the HTTPS port, told apart by name', async () => {
    const port = await freePort();
    const shared = ['--https-listen', '--agent-listen'];
    const others = FREE_PORTS.filter((flag) => !shared.some((name) => flag.startsWith(name)));
    const platform = await server({ listen: [...others, ...shared.map((name) => `${name}=127.0.0.1:${port}`)] });
    expect(platform.runtime.agent_addr).toBe(platform.runtime.https_addr);
    const url = await share(platform);
    expect(JSON.parse((await platform.visit(url)).text)).toMatchObject({ 'x-forwarded-proto': 'https' });
  });
});

describe('who a visitor is', () => {
  const forwarded = {
    'x-forwarded-for': '203.0.113.9',
    'x-forwarded-host': 'front.test',
    'x-forwarded-proto': 'https',
  };

  test('a trusted proxy is believed, others are not', async () => {
    const [believing, careful] = await Promise.all([
      server({ args: ['--trusted-proxies=127.0.0.0/8', '--trusted-proxies=::1'] }),
      server(),
    ]);
    const through = async (platform: Platform, scheme: string): Promise<Record<string, string>> => {
      await share(platform, '--url', `${scheme}://who.test`);
      const answer = await platform.visit('http://who.test', { headers: forwarded });
      return JSON.parse(answer.text) as Record<string, string>;
    };
    // Over plain HTTP, to a name that is there for https alone: the proxy's word for the scheme routes.
    expect(await through(believing, 'https')).toMatchObject({ 'x-forwarded-host': 'front.test' });
    const seen = await through(careful, 'http');
    expect(seen['x-forwarded-host']).toBe('who.test');
    expect(seen['x-forwarded-for']?.split(', ').at(-1)).toBe('127.0.0.1');
    expect(seen['x-forwarded-proto']?.split(', ').at(-1)).toBe('http');
  });

  // The proxy comes from an address of its own, so that the agent of the test need not send the header too.
  test('a PROXY header of a trusted proxy names the visitor', async ({ skip }) => {
    skip(process.platform !== 'linux', 'only Linux has 127.0.0.2 without being told');
    const platform = await server({ args: ['--trusted-proxies=127.0.0.2', '--proxy-protocol'] });
    const url = await share(platform, '--url', 'http://proxied.test');
    const socket = net.connect({ ...target(platform.runtime.http_addr), localAddress: '127.0.0.2' });
    socket.write(
      'PROXY TCP4 203.0.113.7 192.0.2.1 5555 80\r\n' +
        `GET / HTTP/1.1\r\nHost: ${new URL(url).host}\r\nConnection: close\r\n\r\n`,
    );
    let answer = '';
    socket.on('data', (chunk) => (answer += String(chunk)));
    await once(socket, 'close');
    expect(answer).toContain('"x-forwarded-for":"203.0.113.7"');
  });
});

describe('the stop', () => {
  test('is unready first, lets what is in flight finish, refuses new visitors, and ends with 0', async () => {
    const platform = await server();
    let finish = (): void => {};
    const slow = await httpUpstream((_request, response) => {
      response.write('first ');
      finish = () => void response.end('last');
    });
    try {
      const shared = Tunnel.beside(platform, ['http', String(slow.port), '--url', 'http://slow.test']);
      tunnels.push(shared);
      await shared.url();
      const request = http.get({ ...target(platform.runtime.http_addr), headers: { host: 'slow.test' }, agent: false });
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      const ended = once(platform.process, 'exit');
      platform.process.kill('SIGTERM');
      const notReady = await until(async () => {
        const answer = await fetch(`${platform.runtime.metrics_url}/readyz`);
        return answer.status === 503 ? answer.text() : null;
      });
      expect(notReady).toBe('stopping\n');
      await until(async () => !(await canConnect(target(platform.runtime.http_addr).port)));
      finish();
      let body = '';
      for await (const chunk of response) body += String(chunk);
      expect(body).toBe('first last');
      expect(await ended).toEqual([0, null]);
      await expect(stat(path.join(platform.dataDir, 'runtime.json'))).rejects.toThrow('ENOENT');
    } finally {
      await slow.close();
    }
  });

  test('asked for twice, with time between, does not wait for what is in flight', async () => {
    const platform = await server();
    const endless = await httpUpstream((_request, response) => void response.write('first '));
    try {
      const shared = Tunnel.beside(platform, ['http', String(endless.port), '--url', 'http://endless.test']);
      tunnels.push(shared);
      await shared.url();
      const request = http.get({
        ...target(platform.runtime.http_addr),
        headers: { host: 'endless.test' },
        agent: false,
      });
      request.on('error', () => {});
      await once(request, 'response');
      const ended = once(platform.process, 'exit');
      platform.process.kill('SIGINT');
      // The time between is the server's: from when it has heard of the first.
      await until(async () => (await fetch(`${platform.runtime.metrics_url}/readyz`)).status === 503);
      await new Promise((resolve) => setTimeout(resolve, 1200));
      expect(platform.process.exitCode).toBeNull();
      platform.process.kill('SIGINT');
      expect(await ended).toEqual([1, null]);
    } finally {
      await endless.close();
    }
  });

  test('goes on serving when whoever read its output has left', async () => {
    const platform = await server({ args: ['--log-level=debug'] });
    platform.process.stdout?.destroy();
    platform.process.stderr?.destroy();
    const url = await share(platform);
    expect((await platform.visit(url)).status).toBe(200);
    expect(await platform.stop()).toEqual({ code: 0, signal: null });
  });
});

test('the agent listener accepts long before the rest is loaded', async () => {
  const platform = await server();
  const { dataDir } = platform;
  await platform.stop();
  // As a share of the whole, because machines that run tests are busy; alone it is about a fifth of a second. The best of
  // three, because the machine may be busier in one part than in the other.
  const shares = [
    await shareUntilAccepting(dataDir),
    await shareUntilAccepting(dataDir),
    await shareUntilAccepting(dataDir),
  ];
  expect(Math.min(...shares)).toBeLessThan(0.7);
});

/** Starts a server and ends it: the time until the agent listener accepts, as a share of the time until it is ready. */
async function shareUntilAccepting(dataDir: string): Promise<number> {
  const port = await freePort();
  const args = FREE_PORTS.filter((flag) => !flag.startsWith('--agent-listen'));
  const main = path.join(repositoryRoot, 'packages', 'cli', 'src', 'main.ts');
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [main, 'server', ...args, `--agent-listen=127.0.0.1:${port}`, `--data-dir=${dataDir}`],
    {
      stdio: 'ignore',
      env: { ...process.env, XDG_CONFIG_HOME: dataDir },
    },
  );
  try {
    await until(() => canConnect(port), PATIENCE_MS, 5);
    const accepted = performance.now() - started;
    await until(() => readFile(path.join(dataDir, 'runtime.json')));
    const ready = performance.now() - started;
    return accepted / ready;
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    // A port of our own range may be given to the connecting side: then it talks to itself.
    socket.on('connect', () => {
      resolve(socket.localPort !== port);
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
  });
}
