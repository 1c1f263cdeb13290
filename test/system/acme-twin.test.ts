/** Two kinds of key for one name: who takes no ECDSA gets RSA, and only who takes none. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '@postern/edge/testing/free-port';
import { findPebble, Pebble } from '../support/pebble.ts';
import { Platform, visitorsAt } from '../support/platform.ts';
import { hasProgram, openssl } from '../support/tls-clients.ts';
import { until } from '../support/until.ts';

const BASE = 'tun.example.com';
const RSA_ALONE = 'rsa_pss_rsae_sha256';
const programs = await findPebble();
const hasOpenssl = await hasProgram('openssl', 'version');

/** Kind of the key that a client is convinced by; else the error. */
function kindOf(port: number, servername: string, ca: string, more: tls.ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = tls.connect({ host: '127.0.0.1', port, servername, ca, ...more }, () => {
      resolve(socket.getPeerX509Certificate()?.publicKey.asymmetricKeyType ?? 'none');
      socket.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

describe.skipIf(programs === null)('with Pebble', () => {
  let pebble: Pebble;
  let platform: Platform;
  let ports: { http: number; https: number };
  const options = (kind: string) => ({
    ...visitorsAt(ports),
    args: [`--base-domain=${BASE}`, ...pebble.flags, `--acme-key-type=${kind}`],
  });
  beforeAll(async () => {
    ports = { http: await freePort(), https: await freePort() };
    if (programs === null) return;
    pebble = await Pebble.start(programs, { httpPort: ports.http, tlsPort: ports.https });
    await pebble.point(BASE, `connect.${BASE}`, 'shop.customer.example');
    platform = await Platform.start(options('both'));
  });
  afterAll(async () => {
    await platform?.dispose();
    await pebble?.stop();
  });
  const seen = (name: string, more: tls.ConnectionOptions = {}): Promise<string> =>
    kindOf(ports.https, name, pebble.root, more);
  const becomes = (name: string, kind: string, more: tls.ConnectionOptions = {}): Promise<unknown> =>
    until(async () => (await seen(name, more)) === kind);

  test('each client gets the kind that it takes, and ECDSA where it takes both', async () => {
    await becomes(BASE, 'ec');
    await becomes(BASE, 'rsa', { sigalgs: RSA_ALONE });
    expect(await seen(BASE)).toBe('ec');
    expect(await seen(BASE, { maxVersion: 'TLSv1.2' })).toBe('ec');
    expect(await seen(BASE, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' })).toBe('rsa');
    if (!hasOpenssl) return;
    const trust = path.join(platform.dataDir, 'root.pem');
    await writeFile(trust, pebble.root);
    for (const [flags, signature] of [
      [[], 'ECDSA'],
      [['-sigalgs', 'RSA-PSS+SHA256'], 'RSA-PSS'],
      [['-tls1_2'], 'ECDSA'],
      [['-tls1_2', '-sigalgs', 'RSA+SHA256:RSA-PSS+SHA256'], 'RSA(-PSS)?'],
    ] as const) {
      const found = await openssl(ports.https, BASE, trust, ...flags);
      expect(found, found.text).toMatchObject({ verified: true });
      expect(found.text).toMatch(new RegExp(`^Peer signature type: ${signature}$`, 'm'));
    }
  });

  test('a domain whose policy says rsa has that alone; without a policy it has both', async () => {
    const { body } = await platform.api('POST', '/reserved_domains', { domain: 'shop.customer.example' });
    await becomes('shop.customer.example', 'ec');
    await becomes('shop.customer.example', 'rsa', { sigalgs: RSA_ALONE });
    await platform.api('PATCH', `/reserved_domains/${body.id}`, {
      certificate_management_policy: { authority: 'letsencrypt', private_key_type: 'rsa' },
    });
    await becomes('shop.customer.example', 'rsa');
    const rows = (await platform.api('GET', '/managed_certificates')).body.managed_certificates;
    const own = rows.filter(({ names }: { names: string[] }) => names[0] === 'shop.customer.example');
    expect(own).toMatchObject([{ private_key_type: 'rsa', status: 'active' }]);
    await platform.api('DELETE', `/reserved_domains/${body.id}`);
    await until(async () => (await seen('shop.customer.example')) === 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
  });

  test('it stays over a restart, and goes with its key when it is not asked for any more', async () => {
    // Those of agents, too, which nobody here has waited for.
    const rows = async () => (await platform.api('GET', '/tls_certificates')).body.tls_certificates;
    await expect.poll(rows).toHaveLength(4);
    platform = await platform.restart('SIGKILL', { ...options('both'), listen: platform.sameAddresses });
    expect(await seen(BASE)).toBe('ec');
    expect(await seen(BASE, { sigalgs: RSA_ALONE })).toBe('rsa');
    await expect.poll(rows).toHaveLength(4);
    platform = await platform.restart('SIGTERM', { ...options('ecdsa'), listen: platform.sameAddresses });
    await until(async () => (await seen(BASE, { sigalgs: RSA_ALONE })).startsWith('ERR_SSL'));
    expect(await seen(BASE)).toBe('ec');
    await expect.poll(rows).toHaveLength(2);
    expect(platform.output).not.toContain('"level":"error"');
  });
});
