/** Who trusts whom: the README's lines for agents on other machines, what they say when it fails, and certificates that end. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { freePort } from '@postern/edge/testing/free-port';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { Platform, repositoryRoot, splitAddress } from '../support/platform.ts';
import { Tunnel } from '../support/tunnel.ts';
import { until } from '../support/until.ts';
import { httpUpstream, type Upstream } from '../support/upstream.ts';

const BASE = 'tunnel.example.com';
const CONNECT = `connect.${BASE}`;
let upstream: Upstream;
let laptop: string;
let resolver: string;
const tunnels: Tunnel[] = [];

beforeAll(async () => {
  upstream = await httpUpstream((_, response) => response.end('here'));
  laptop = await mkdtemp(path.join(tmpdir(), 'postern-laptop-'));
  resolver = path.join(laptop, 'resolver.mjs');
  // What DNS would do: the names of the README are this machine.
  await writeFile(
    resolver,
    `import dns from 'node:dns'; const real = dns.lookup;
     dns.lookup = (name, ...rest) => real(name.endsWith('.example.com') ? '127.0.0.1' : name, ...rest);`,
  );
});
afterEach(async () => {
  await Promise.all(tunnels.splice(0).map((tunnel) => tunnel.stop('SIGKILL')));
});
afterAll(async () => {
  await upstream?.close();
  await rm(laptop, { recursive: true, force: true });
});

/** On another machine: another home, and no server to be found on it. */
function agent(args: readonly string[], env: NodeJS.ProcessEnv = {}): Tunnel {
  const home = { HOME: laptop, XDG_CONFIG_HOME: laptop, POSTERN_DATA_DIR: path.join(laptop, 'none') };
  const tunnel = new Tunnel(args, { cwd: laptop, env: { ...home, NODE_OPTIONS: `--import=${resolver}`, ...env } });
  tunnels.push(tunnel);
  return tunnel;
}

/** The README's lines for the three cases: a public authority, the server's own, the operator's. */
async function readmeLines(): Promise<readonly string[]> {
  const readme = await readFile(path.join(repositoryRoot, 'README.md'), 'utf8');
  const section = readme.slice(readme.indexOf('### An agent on another machine'));
  return [...section.matchAll(/^npx postern (http 3000 --connect-url connect\..*)$/gm)]
    .slice(0, 3)
    .map(([, args]) => args ?? '');
}

/** As a shell would read the line, with the ports of this test. */
async function follow(line: string, platform: Platform, env: NodeJS.ProcessEnv = {}): Promise<Tunnel> {
  const [, port] = splitAddress(platform.runtime.agent_addr);
  await writeFile(path.join(laptop, 'authtoken'), platform.authtoken);
  await writeFile(path.join(laptop, 'ca.pem'), platform.ca);
  const words = line
    .replace('3000', String(upstream.port))
    // With its colon: the port of the service, which stands before it, may have these digits, too.
    .replace(':4443', `:${port}`)
    .replace('"$(cat authtoken)"', platform.authtoken)
    .split(' ');
  return agent(words, env);
}

async function given(name: string, domain: string, days = 100): Promise<{ flag: string; authority: string }> {
  const { cert, key } = await selfSigned(domain, days);
  const authority = path.join(laptop, `${name}.pem`);
  await writeFile(authority, cert);
  await writeFile(path.join(laptop, `${name}.key`), key);
  return { flag: `--tls-certificate=${authority},${path.join(laptop, `${name}.key`)}`, authority };
}

describe('the README’s lines for an agent on another machine', () => {
  test('work in each of the three certificate cases, and in no other', async () => {
    const [publicLine = '', ownLine = '', privateLine = ''] = await readmeLines();
    const { flag, authority } = await given('corporate-ca', CONNECT);
    const knows = { NODE_EXTRA_CA_CERTS: authority };

    const own = await Platform.start({ args: [`--base-domain=${BASE}`] });
    expect(await (await follow(ownLine, own)).url()).toMatch(/^https:\/\/\w+\.tunnel\.example\.com/);
    const stranger = await follow(publicLine, own);
    await until(() => /--connect-cas FILE.*ca\.pem/.exec(stranger.stderr));
    await own.dispose();

    const corporate = await Platform.start({ args: [`--base-domain=${BASE}`, flag] });
    expect(await (await follow(privateLine, corporate)).url()).toMatch(/^https:/);
    // Where clients know the authority by themselves, it is a public one.
    expect(await (await follow(publicLine, corporate, knows)).url()).toMatch(/^https:/);
    const wrong = await follow(ownLine, corporate);
    await until(() => /another authority than the one given with --connect-cas/.exec(wrong.stderr));
    await corporate.dispose();
  });
});

test('agents that dial an address of this machine, or one of its names, are shown a certificate for it', async () => {
  const { flag } = await given('given', CONNECT);
  const platform = await Platform.start({ args: [`--base-domain=${BASE}`, '--agent-name=agents.example.com', flag] });
  const [, port] = splitAddress(platform.runtime.agent_addr);
  const shown = (host: string, servername: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const check = servername === '' ? host : servername;
      const socket = tls.connect(
        { host, port, servername, ca: platform.ca, checkServerIdentity: () => undefined },
        () => {
          const problem = tls.checkServerIdentity(check, socket.getPeerCertificate());
          resolve(problem === undefined ? (socket.getPeerCertificate().subjectaltname ?? '') : problem.message);
          socket.destroy();
        },
      );
      socket.once('error', reject);
    });
  for (const [host, name] of [
    ['127.0.0.1', ''],
    ['::1', ''],
    ['127.0.0.1', 'localhost'],
    ['127.0.0.1', 'agents.example.com'],
  ] as const) {
    expect(await shown(host, name), `${host} ${name}`).toContain('DNS:agents.example.com');
  }
  await expect(shown('127.0.0.1', CONNECT)).rejects.toThrow(/self-signed/);
  await platform.dispose();
});

test('a shared port needs a name, and says so', async () => {
  const listen = ['api', 'http', 'metrics', 'tcp'].map((what) => `--${what}-listen=127.0.0.1:0`);
  const port = await freePort();
  const shared = [`--https-listen=127.0.0.1:${port}`, `--agent-listen=127.0.0.1:${port}`];
  const platform = await Platform.start({ listen: [...listen, ...shared], args: [`--base-domain=${BASE}`] });
  await writeFile(path.join(laptop, 'ca.pem'), platform.ca);
  const flags = ['--connect-cas', 'ca.pem', '--authtoken', platform.authtoken];
  const named = agent(['http', String(upstream.port), '--connect-url', `${CONNECT}:${port}`, ...flags]);
  expect(await named.url()).toMatch(/^https:/);
  const bare = agent(['http', String(upstream.port), '--connect-url', `127.0.0.1:${port}`, ...flags]);
  await until(() => /needs a name, not an address.*connect\.<base domain>/.exec(bare.stderr));
  await platform.dispose();
});

test('a certificate that has ended, or soon will, is in the log and in the metrics', async () => {
  const expired = await given('expired', `old.${BASE}`, -1);
  const soon = await given('soon', `soon.${BASE}`, 3);
  const fine = await given('fine', `fine.${BASE}`, 60);
  const args = [`--base-domain=${BASE}`, expired.flag, soon.flag, fine.flag];
  const platform = await Platform.start({ args });
  await expect.poll(() => platform.output).toMatch(/"level":"error"[^\n]*expired\.pem[^\n]*a certificate has expired/);
  await expect.poll(() => platform.output).toMatch(/"level":"warn"[^\n]*soon\.pem[^\n]*a certificate expires soon/);
  expect(platform.output).not.toMatch(/fine\.pem[^\n]*expire/);
  const metrics = await (await fetch(`${platform.runtime.metrics_url}/metrics`)).text();
  const days = (name: string): number =>
    (Number(
      new RegExp(`^postern_certificate_not_after_seconds\\{certificate="[^"]*${name}"\\} (\\S+)`, 'm').exec(
        metrics,
      )?.[1],
    ) -
      Date.now() / 1000) /
    86_400;
  expect([days('expired.pem'), days('soon.pem'), days('fine.pem')].map(Math.round)).toEqual([-1, 3, 60]);
  expect(days('authority')).toBeGreaterThan(3_000);
  await platform.dispose();
});
