/** The ways from an agent to its server: several addresses, several sessions, proxies; with the real command. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Platform, splitAddress } from '../support/platform.ts';
import { ConnectProxy } from '../support/proxy.ts';
import { Tunnel } from '../support/tunnel.ts';
import { until } from '../support/until.ts';
import { httpUpstream, type Upstream } from '../support/upstream.ts';
import { Wire } from '../support/wire.ts';

let platform: Platform;
let upstream: Upstream;
let proxy: ConnectProxy;
const tunnels: Tunnel[] = [];
const wires: Wire[] = [];

beforeAll(async () => {
  platform = await Platform.start();
  upstream = await httpUpstream((request, response) => response.end(`hello ${request.url}`));
  proxy = await ConnectProxy.start('ann:p@ss');
});
afterEach(async () => {
  await Promise.all(tunnels.splice(0).map((started) => started.stop('SIGKILL')));
  await Promise.all(wires.splice(0).map((wire) => wire.close()));
});
afterAll(async () => {
  await platform?.dispose();
  await upstream?.close();
  await proxy?.close();
});

async function newWire(): Promise<Wire> {
  const [host, port] = splitAddress(platform.runtime.agent_addr);
  const made = await Wire.to(() => ({ host, port }));
  wires.push(made);
  return made;
}

/** Nothing of this machine's own server is found: addresses, token and authority are given. */
function tunnel(args: readonly string[], env: NodeJS.ProcessEnv = {}): Tunnel {
  const given = ['--connect-cas', platform.runtime.ca_path, '--web-addr', 'false', ...args];
  const started = new Tunnel(['http', String(upstream.port), ...given], {
    cwd: platform.dataDir,
    env: { HOME: platform.dataDir, XDG_CONFIG_HOME: platform.dataDir, POSTERN_AUTHTOKEN: platform.authtoken, ...env },
  });
  tunnels.push(started);
  return started;
}

const at = ({ port }: Wire): string => `localhost:${port}`;

async function sessions(): Promise<unknown[]> {
  const { body } = await platform.api('GET', '/tunnel_sessions');
  return body.tunnel_sessions;
}

describe('several addresses', () => {
  test('the one that works is found, and the next when it is lost; the URL stays', async () => {
    const [gone, first, second] = [await newWire(), await newWire(), await newWire()];
    gone.refuse();
    const shared = tunnel(['--connect-url', at(gone), '--connect-url', `${at(first)},${at(second)}`]);
    const url = await shared.url();
    expect((await platform.visit(`${url}/1`)).text).toBe('hello /1');
    expect([first.live, second.live]).toEqual([1, 0]);
    first.refuse();
    first.cut();
    await until(async () => (await platform.visit(`${url}/2`)).text === 'hello /2');
    expect(second.live).toBe(1);
  });
});

describe('two sessions', () => {
  test('go to two addresses; when either dies visitors notice nothing', async () => {
    const [first, second] = [await newWire(), await newWire()];
    const shared = tunnel(['--sessions', '2'], { POSTERN_CONNECT_URL: `${at(first)},${at(second)}` });
    const url = await shared.url();
    await until(() => first.live === 1 && second.live === 1);
    await until(async () => (await sessions()).length === 2);
    const endpoints = (): Promise<unknown> => platform.api('GET', '/endpoints').then(({ body }) => body.endpoints);
    await until(async () => ((await endpoints()) as { url: string }[]).some((row) => row.url === url));
    for (const [lost, other] of [
      [first, second],
      [second, first],
    ] as const) {
      lost.refuse();
      lost.cut();
      await until(async () => (await sessions()).length === 1);
      for (let count = 0; count < 20; count += 1)
        expect((await platform.visit(`${url}/${count}`)).text).toBe(`hello /${count}`);
      expect(shared.stderr).toBe('');
      lost.accept();
      await until(() => lost.live === 1 && other.live === 1);
      await until(async () => (await sessions()).length === 2);
      // Both carry visitors again before the other one goes.
      await until(async () => ((await endpoints()) as { url: string }[]).filter((row) => row.url === url).length === 2);
    }
  });

  test('are told by the local API, which says when none is left', async () => {
    const [first, second] = [await newWire(), await newWire()];
    const addresses = `${at(first)},${at(second)}`;
    const shared = tunnel([
      '--sessions=2',
      '--connect-url',
      addresses,
      '--web-addr=127.0.0.1:0',
      '--log-format=logfmt',
    ]);
    const api = await until(() => /msg="starting web service" obj=web addr=(\S+)/.exec(shared.stdout)?.[1]);
    const legs = async (): Promise<readonly { readonly latency: string }[]> => {
      const told: { session: { legs: { latency: string }[] } } = JSON.parse(
        await (await fetch(`http://${api}/api/status`)).text(),
      );
      return told.session.legs;
    };
    await until(async () => (await legs()).every(({ latency }) => /^\d+ms$/.test(latency)));
    await until(async () => (await legs()).length === 2);
    expect((await fetch(`http://${api}/readyz`)).status).toBe(200);
    for (const wire of [first, second]) {
      wire.refuse();
      wire.cut();
    }
    await until(async () => (await fetch(`http://${api}/readyz`)).status === 503);
    expect(await legs()).toEqual([]);
  });

  test('a number that is none is told', async () => {
    const { code, stderr } = await tunnel(['--sessions', 'two', '--connect-url', 'localhost:1']).ended;
    expect([code, stderr]).toEqual([2, 'ERROR:  "sessions" is a number from 1 to 4.\n']);
  });
});

describe('a proxy', () => {
  const through = (): string => `http://ann:p%40ss@127.0.0.1:${proxy.port}`;

  test('of the command, of the configuration, and of the environment', async () => {
    const route = await newWire();
    const config = path.join(platform.dataDir, 'proxied.yml');
    await writeFile(config, `version: "3"\nagent:\n  connect_url: ${at(route)}\n  proxy_url: ${through()}\n`);
    const named = tunnel(['--connect-url', at(route), '--proxy-url', through()]);
    const written = tunnel(['--config', config]);
    for (const shared of [named, written])
      expect((await platform.visit(`${await shared.url()}/x`)).text).toBe('hello /x');
    expect(proxy.asked).toEqual([at(route), at(route)]);
    const byEnvironment = tunnel(['--connect-url', 'elsewhere.test:1'], { HTTPS_PROXY: through(), NO_PROXY: 'x.test' });
    await until(() => byEnvironment.stderr.includes('Not connected'));
    expect(byEnvironment.stderr).toMatch(/through the proxy 127\.0\.0\.1:\d+: /);
    expect(proxy.asked.at(-1)).toBe('elsewhere.test:1');
  });

  test('that refuses ends it with what to write, and without the password', async () => {
    const { code, stderr } = await tunnel([
      '--connect-url',
      'localhost:1',
      '--proxy-url',
      `http://ann:secret@127.0.0.1:${proxy.port}`,
    ]).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ERROR: {2}through the proxy 127\.0\.0\.1:\d+: it does not accept the user and password/);
    expect(stderr).not.toContain('secret');
  });

  test('that cannot be one is refused without repeating it', async () => {
    const { code, stderr } = await tunnel(['--connect-url', 'localhost:1', '--proxy-url', 'ftp://ann:secret@x']).ended;
    expect([code, stderr]).toEqual([2, 'ERROR:  The proxy has the scheme ftp; it is http, https or socks5.\n']);
  });
});

test('settings that choose the way out: an interface that is not there is told, resolvers are addresses', async () => {
  const config = path.join(platform.dataDir, 'way-out.yml');
  const run = async (line: string): Promise<string> => {
    await writeFile(config, `version: "3"\nagent:\n  connect_url: localhost:1\n  ${line}\n`);
    return (await tunnel(['--config', config]).ended).stderr;
  };
  expect(await run('connect_interface: nope0')).toMatch(/no network interface nope0 .*; there are: .*lo/);
  expect(await run('dns_resolver_ips: [dns.test]')).toBe(
    'ERROR:  "resolvers" are IP addresses, which "dns.test" is not.\n',
  );
  const [, port] = splitAddress(platform.runtime.agent_addr);
  await writeFile(config, `version: "3"\nagent:\n  connect_url: 127.0.0.1:${port}\n  connect_interface: lo\n`);
  expect(await tunnel(['--config', config]).url()).toMatch(/^https/);
});
