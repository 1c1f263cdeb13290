/** `postern http|tcp|tls` as real processes against a real server. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { freePort } from '@postern/edge/testing/free-port';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { Platform, splitAddress } from '../support/platform.ts';
import { Tunnel } from '../support/tunnel.ts';
import { until } from '../support/until.ts';
import { http2Upstream, httpUpstream, tcpEcho, type Upstream } from '../support/upstream.ts';

let platform: Platform;
let upstream: Upstream;
const tunnels: Tunnel[] = [];
const upstreams: Upstream[] = [];

beforeAll(async () => {
  platform = await Platform.start();
  upstream = await httpUpstream((request, response) => response.end(`hello ${request.url}`));
});
afterEach(async () => {
  await Promise.all(tunnels.splice(0).map((started) => started.stop('SIGKILL')));
  await Promise.all(upstreams.splice(0).map((started) => started.close()));
});
afterAll(async () => {
  await platform?.dispose();
  await upstream?.close();
});

function tunnel(...args: string[]): Tunnel {
  const started = Tunnel.beside(platform, args);
  tunnels.push(started);
  return started;
}
const port = (): string => String(upstream.port);
const addressOf = (runtimeAddress: string): { host: string; port: number } => {
  const [host, number] = splitAddress(runtimeAddress);
  return { host, port: number };
};
async function endpointOf(url: string): Promise<Record<string, unknown> | undefined> {
  const { body } = await platform.api('GET', '/endpoints');
  return (body.endpoints as Record<string, unknown>[]).find((row) => row['url'] === url);
}

describe('postern http', () => {
  test('prints url=… where nobody watches, serves, and on SIGTERM ends with 0 and takes the endpoint along', async () => {
    const shared = tunnel('http', port());
    const url = await shared.url();
    expect(url).toMatch(/^https:\/\/[0-9a-z]+\.postern\.localhost$/);
    expect(shared.stdout).toBe(`url=${url}\n`);
    expect((await platform.visit(`${url}/there`)).text).toBe('hello /there');
    expect(await endpointOf(url)).toMatchObject({ type: 'ephemeral', name: 'command_line' });
    expect(await shared.stop()).toEqual({ code: 0, stdout: `url=${url}\n`, stderr: '' });
    expect((await platform.visit(url)).headers['ngrok-error-code']).toBe('ERR_NGROK_3200');
    expect(await endpointOf(url)).toBeUndefined();
  });

  test('twice Ctrl+C in one moment, as a terminal and a launcher send it, is one wish', async () => {
    const shared = tunnel('http', port());
    await shared.url();
    shared.child.kill('SIGINT');
    shared.child.kill('SIGINT');
    expect((await shared.ended).code).toBe(0);
  });

  test('with --log-format json prints every event as a line that programs read', async () => {
    const shared = tunnel('http', port(), '--log-format', 'json', '--url', 'logged.test', '--name', 'web');
    const line = await until(() => shared.stdout.split('\n').find((text) => text.includes('started tunnel')));
    expect(JSON.parse(line)).toEqual({
      addr: `http://localhost:${port()}`,
      lvl: 'info',
      msg: 'started tunnel',
      name: 'web',
      obj: 'tunnels',
      t: expect.any(String),
      url: 'https://logged.test',
    });
    const { stdout } = await shared.stop();
    const events = stdout
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as { msg: string });
    expect(events.map(({ msg }) => msg)).toEqual([
      'starting web service',
      'tunnel session started',
      'client session established',
      'started tunnel',
      'session closing',
    ]);
  });

  test('takes URLs of http, https and internal endpoints, and what the API shows of them', async () => {
    const described = ['--description', 'a description', '--metadata', '{"a":1}', '--name', 'api'];
    // Started at once.
    const plain = tunnel('http', port(), '--url', 'http://plain.test', ...described);
    const secure = tunnel('http', upstream.url, '--url', 'secure.test');
    const internal = tunnel('http', `127.0.0.1:${port()}`, '--url', 'https://inside.internal');
    expect(await plain.url()).toBe('http://plain.test');
    expect(await secure.url()).toBe('https://secure.test');
    expect(await internal.url()).toBe('https://inside.internal');
    expect((await platform.visit('http://plain.test/a')).text).toBe('hello /a');
    expect((await platform.visit('https://secure.test/b')).text).toBe('hello /b');
    expect(await endpointOf('http://plain.test')).toMatchObject({
      name: 'api',
      description: 'a description',
      metadata: '{"a":1}',
    });
    expect(await endpointOf('https://inside.internal')).toMatchObject({ bindings: ['internal'] });
    expect((await platform.visit('https://plain.test/')).status).toBe(404);
  });

  test('with --pooling-enabled shares a URL; without it the second is told who has it', async () => {
    const first = tunnel('http', port(), '--url', 'pool.test', '--pooling-enabled');
    await first.url();
    const second = tunnel('http', port(), '--url', 'pool.test', '--pooling-enabled');
    expect(await second.url()).toBe('https://pool.test');
    const { body } = await platform.api('GET', '/endpoints');
    const rows = (body.endpoints as Record<string, unknown>[]).filter((row) => row['url'] === 'https://pool.test');
    expect(rows.map((row) => row['pooling_enabled'])).toEqual([true, true]);

    const refused = await tunnel('http', port(), '--url', 'pool.test').ended;
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^ERROR: {2}.*\n(ERROR:.*\n)*ERROR: {2}ERR_NGROK_\d+\n$/);
  });

  test('with --traffic-policy-file, YAML or JSON, applies the policy; a wrong one is refused with its place', async () => {
    const file = path.join(platform.dataDir, 'policy.yml');
    await writeFile(
      file,
      'on_http_request:\n  - expressions: ["req.url.path == \'/tea\'"]\n    actions:\n' +
        '      - type: custom-response\n        config: { status_code: 418, body: teapot }\n',
    );
    // Meant from where the user is.
    const shared = tunnel('http', port(), '--traffic-policy-file', 'policy.yml');
    const url = await shared.url();
    expect(await platform.visit(`${url}/tea`)).toMatchObject({ status: 418, text: 'teapot' });
    expect((await platform.visit(`${url}/coffee`)).text).toBe('hello /coffee');

    await writeFile(file, '{"on_http_request":[{"actions":[{"type":"no-such-action"}]}]}');
    const refused = await tunnel('http', port(), '--traffic-policy-file', file).ended;
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('no-such-action');
    expect(refused.stderr).toContain('ERR_NGROK_');
  });

  test('with --upstream-protocol http2 speaks HTTP/2 to the service', async () => {
    const h2 = await http2Upstream((stream, headers) => {
      stream.respond({ ':status': 200 });
      stream.end(`h2 ${headers[':path']}`);
    });
    upstreams.push(h2);
    const shared = tunnel('http', String(h2.port), '--upstream-protocol', 'http2');
    expect((await platform.visit(`${await shared.url()}/x`)).text).toBe('h2 /x');
  });

  test('with --upstream-proxy-protocol tells the service who the visitor is', async () => {
    const seen: string[] = [];
    const server = net.createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', (chunk) => {
        seen.push(chunk.toString('latin1').split('\r\n')[0] ?? '');
        socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port: listening } = server.address() as net.AddressInfo;
      const shared = tunnel('http', `127.0.0.1:${listening}`, '--upstream-proxy-protocol', '1');
      expect((await platform.visit(await shared.url())).status).toBe(204);
      expect(seen[0]).toMatch(/^PROXY TCP4 127\.0\.0\.1 /);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test('tells on stderr that the service does not answer, and goes on', async () => {
    // Not one that the system has given: it may give it to somebody else by then.
    const shared = tunnel('http', String(await freePort()));
    const url = await shared.url();
    expect((await platform.visit(url)).headers['ngrok-error-code']).toBe('ERR_NGROK_8012');
    await until(() => shared.stderr.includes('cannot reach the upstream'));
    expect(shared.stderr).toContain('ECONNREFUSED');
    expect((await shared.stop()).code).toBe(0);
  });

  test('ends with 1 and says so when the server asks it to stop', async () => {
    const shared = tunnel('http', port());
    const row = await endpointOf(await shared.url());
    const { id } = (row ?? {})['tunnel_session'] as { id: string };
    expect((await platform.api('POST', `/tunnel_sessions/${id}/stop`, {})).status).toBe(204);
    expect(await shared.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('asked this agent to stop') });
  });
});

describe('postern tcp and tls', () => {
  test('tcp: bytes both ways under the host and port that it prints', async () => {
    const echo = await tcpEcho('hi ');
    upstreams.push(echo);
    const shared = tunnel('tcp', String(echo.port));
    const url = new URL(await shared.url());
    expect(url.protocol).toBe('tcp:');
    const socket = net.connect({ host: '127.0.0.1', port: Number(url.port) });
    expect(await conversation(socket, 'there')).toBe('hi there');
  });

  test('tls: TLS passes through to the service', async () => {
    const { cert, key } = await selfSigned('own.tls.test');
    const server = tls.createServer({ cert, key }, (socket) => {
      socket.on('error', () => socket.destroy());
      socket.end(`tls for ${String(socket.servername)}`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port: listening } = server.address() as net.AddressInfo;
      const shared = tunnel('tls', String(listening), '--url', 'own.tls.test');
      expect(await shared.url()).toBe('tls://own.tls.test');
      const target = { ...addressOf(platform.runtime.https_addr), servername: 'own.tls.test', ca: cert };
      expect(await conversation(tls.connect(target), '')).toBe('tls for own.tls.test');
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test('tls: with --crt and --key TLS ends at the server, with that certificate', async () => {
    const { cert, key } = await selfSigned('ended.tls.test');
    const file = (name: string): string => path.join(platform.dataDir, name);
    await Promise.all([writeFile(file('own.pem'), cert), writeFile(file('own.key'), key)]);
    const echo = await tcpEcho('plain ');
    upstreams.push(echo);
    const flags = ['--url', 'tls://ended.tls.test', '--crt', file('own.pem'), '--key', file('own.key')];
    const shared = tunnel('tls', String(echo.port), ...flags);
    await shared.url();
    const target = { ...addressOf(platform.runtime.https_addr), servername: 'ended.tls.test', ca: cert };
    expect(await conversation(tls.connect(target), 'bytes')).toBe('plain bytes');
  });
});

/** Nothing here is left running, so that the processes may start side by side. */
describe('what cannot work', () => {
  test.concurrent.each([
    [['http', '3000', '--authtoken', 'nonsense'], 'ERR_NGROK_105'],
    [['http', '3000', '--authtoken', `${'2'.repeat(27)}_${'3'.repeat(21)}`], 'ERR_NGROK_107'],
  ])('%s: the server’s refusal is on stderr, with its code, and the exit code is 1', async (args, code) => {
    const { code: exit, stdout, stderr } = await Tunnel.beside(platform, args).ended;
    expect(stderr).toMatch(new RegExp(`^ERROR: {2}.+\\nERROR:\\nERROR: {2}${code}\\n$`));
    expect(stdout).toBe('');
    expect(exit).toBe(1);
  });

  test.concurrent.each([
    [['http'], 'missing required argument'],
    [['http', 'not a target'], 'is not a port, host:port, or URL'],
    [['tcp', 'nowhere'], 'has no port'],
    [['http', '3000', '--nonsense'], 'unknown option'],
    [['http', '3000', '--binding', 'private'], 'public, internal, kubernetes'],
    [['http', '3000', '--url', 'tcp://a.test:1'], 'does not fit'],
    [['tls', '3000', '--crt', 'only.pem'], 'belong together'],
    [['http', '3000', '--traffic-policy-file', 'absent.yml'], 'absent.yml'],
    [['http', '3000', '--connect-url', 'localhost:4443'], 'An authtoken is needed'],
    [['htp', '3000'], 'Did you mean http?'],
  ])('%s is a mistake of the user: exit code 2', async (args, words) => {
    const { code, stdout, stderr } = await Tunnel.beside(platform, args).ended;
    expect(stderr).toContain(words);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  test('without any server it says how to start one', async () => {
    const lonely = path.join(platform.dataDir, 'lonely');
    await mkdir(lonely);
    const { code, stderr } = await new Tunnel(['http', '3000'], {
      cwd: lonely,
      env: { HOME: lonely, XDG_CONFIG_HOME: lonely },
    }).ended;
    expect(stderr).toContain('No server was found. Start one with "postern server"');
    expect(code).toBe(2);
  });
});

describe('finding the server', () => {
  test('by the user’s pointer from anywhere, by ./.postern, by flags and environment', async () => {
    const elsewhere = path.join(platform.dataDir, 'elsewhere');
    await mkdir(elsewhere);
    const start = (cwd: string, env: NodeJS.ProcessEnv, ...args: string[]): Tunnel => {
      const started = new Tunnel(['http', port(), ...args], { cwd, env });
      tunnels.push(started);
      return started;
    };
    const lonely = { HOME: elsewhere, XDG_CONFIG_HOME: elsewhere };
    const pointed = start(elsewhere, { HOME: platform.dataDir, XDG_CONFIG_HOME: platform.dataDir });

    const beside = path.join(elsewhere, 'project');
    await mkdir(path.join(beside, '.postern'), { recursive: true });
    await writeFile(
      path.join(beside, '.postern', 'runtime.json'),
      await readFile(path.join(platform.dataDir, 'runtime.json')),
    );
    const here = start(beside, lonely);

    const address = `localhost:${splitAddress(platform.runtime.agent_addr)[1]}`;
    const flagged = start(
      elsewhere,
      { ...lonely, NGROK_AUTHTOKEN: platform.authtoken },
      '--connect-url',
      address,
      '--connect-cas',
      platform.runtime.ca_path,
    );
    const environment = { NGROK_AUTHTOKEN: platform.authtoken, POSTERN_CONNECT_URL: address };
    const told = start(elsewhere, { ...lonely, ...environment, POSTERN_CONNECT_CAS: platform.runtime.ca_path });
    for (const started of [pointed, here, flagged, told]) {
      expect((await platform.visit(await started.url())).text).toBe('hello /');
    }
  });
});

describe('a server that comes back', () => {
  let own: Platform;
  beforeEach(async () => {
    own = await Platform.start();
  });
  afterEach(() => own.dispose());

  test('is found again by itself, under the same URL', async () => {
    const shared = Tunnel.beside(own, ['http', port()]);
    tunnels.push(shared);
    const url = await shared.url();
    const listeners = [
      `--agent-listen=127.0.0.1:${splitAddress(own.runtime.agent_addr)[1]}`,
      `--https-listen=127.0.0.1:${splitAddress(own.runtime.https_addr)[1]}`,
    ];
    const { dataDir } = own;
    await own.stop('SIGKILL');
    await until(() => shared.stderr.includes('Not connected: '));
    const again = await Platform.start({ dataDir, args: listeners });
    try {
      await until(() => shared.stderr.includes('Connected again.'));
      await until(async () => (await again.visit(`${url}/again`)).text === 'hello /again');
      expect((await shared.stop()).code).toBe(0);
    } finally {
      await again.stop();
    }
  });
});

/** What comes back until the peer ends, having sent `text` and the end. */
function conversation(socket: net.Socket, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    socket.on('data', (chunk) => (received += String(chunk)));
    socket.on('end', () => resolve(received));
    socket.on('error', reject);
    if (text !== '') socket.end(text);
  });
}
