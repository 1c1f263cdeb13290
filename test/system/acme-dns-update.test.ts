/** Wildcard certificates from Pebble by records that are set with RFC 2136: at BIND where it is, and at a server of tests. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Resolver } from 'node:dns/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Bind, findBind } from '../support/bind.ts';
import { DnsForwarder } from '../support/dns-forwarder.ts';
import { freePort } from '@postern/edge/testing/free-port';
import { findPebble, Pebble } from '../support/pebble.ts';
import { Platform, visitorsAt } from '../support/platform.ts';
import { UpdateServer } from '../support/update-server.ts';
import { shownAt } from '../support/tls-clients.ts';
import { until } from '../support/until.ts';

const BASE = 'tun.example.com';
const programs = await findPebble();
const named = await findBind();

describe.skipIf(programs === null)('with Pebble', () => {
  const undo: (() => unknown)[] = [];
  afterEach(async () => {
    for (const one of undo.splice(0).toReversed()) await one();
  });

  /** A server that sets its records at that port, and what its wildcard answers with. */
  async function ordered(dnsPort: number, key: string): Promise<{ platform: Platform; served: string }> {
    if (programs === null) throw new Error('there is no Pebble');
    const ports = { http: await freePort(), https: await freePort() };
    const pebble = await Pebble.start(programs, {
      httpPort: ports.http,
      tlsPort: ports.https,
      async resolver(others) {
        const forwarder = await DnsForwarder.start(dnsPort, others);
        undo.push(() => forwarder.close());
        return forwarder.port;
      },
    });
    undo.push(() => pebble.stop());
    const platform = await Platform.start({
      ...visitorsAt(ports),
      args: [
        `--base-domain=${BASE}`,
        ...pebble.flags,
        `--dns-update-server=127.0.0.1:${dnsPort}`,
        `--dns-update-key=${key}`,
      ],
    });
    undo.push(() => platform.dispose());
    const { subjectAltName: served = '' } = await until(() => shownAt(ports.https, `any.${BASE}`, pebble.root));
    return { platform, served };
  }

  async function secretFile(secret: string): Promise<string> {
    const folder = await mkdtemp(path.join(tmpdir(), 'postern-secret-'));
    undo.push(() => rm(folder, { recursive: true, force: true }));
    const file = path.join(folder, 'secret');
    await writeFile(file, `${secret}\n`, { mode: 0o600 });
    return file;
  }

  test('a server of tests that checks signatures: the records came, and are gone', async () => {
    const secret = randomBytes(32);
    const server = await UpdateServer.start({ zone: 'example.com', keyName: 'acme', hash: 'sha256', secret });
    undo.push(() => server.close());
    const file = await secretFile(secret.toString('base64'));
    const { platform, served } = await ordered(server.port, `acme:hmac-sha256:${file}`);
    expect(served).toContain(`DNS:*.${BASE}`);
    await until(() => [...server.records.values()].every((texts) => texts.size === 0));
    expect(server.log.filter((line) => line.includes(' add '))).toHaveLength(2);
    expect(platform.output).not.toContain(secret.toString('base64'));
    expect(platform.output).not.toContain('"level":"error"');
  });

  test.skipIf(named === null).each(['hmac-sha256', 'hmac-sha512'] as const)(
    'BIND, which grants a key the challenges of its zone alone (%s)',
    async (algorithm) => {
      const secret = randomBytes(64).toString('base64');
      const key = { name: 'postern-key', algorithm, secret };
      const bind = await Bind.start(named ?? '', { zone: BASE, key });
      undo.push(() => bind.stop());
      const file = await secretFile(secret);
      const { served } = await ordered(bind.port, `postern-key:${algorithm}:${file}`);
      expect(served, bind.output).toContain(`DNS:*.${BASE}`);
      const resolver = new Resolver({ timeout: 2_000, tries: 2 });
      resolver.setServers([`127.0.0.1:${bind.port}`]);
      await until(() =>
        resolver.resolveTxt(`_acme-challenge.${BASE}`).then(
          () => false,
          () => true,
        ),
      );
    },
  );
});
