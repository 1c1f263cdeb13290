/** Authorities that want more than an address, offer more than one chain, or say when to renew; all of them Pebble. */
import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { freePort } from '@postern/edge/testing/free-port';
import { findPebble, Pebble } from '../support/pebble.ts';
import { Platform, visitorsAt } from '../support/platform.ts';
import { curl, hasProgram, openssl, shownAt } from '../support/tls-clients.ts';
import { until } from '../support/until.ts';

const BASE = 'tun.example.com';
const KEY_ID = 'kid-1';
const KEY = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W';
const WRONG = 'b10lLJs8l1GPIzsLP0s6pMt8O0XVGnfTaCeROxQM0BIt2XrJMDHJZBM5NuQmQJQH';
const SIX_DAYS = 6 * 86_400;
const programs = await findPebble();
const clients = { curl: await hasProgram('curl', '--version'), openssl: await hasProgram('openssl', 'version') };

describe.skipIf(programs === null)('with Pebble', () => {
  const undo: (() => unknown)[] = [];
  let ports: { http: number; https: number };
  beforeEach(async () => {
    ports = { http: await freePort(), https: await freePort() };
  });
  afterEach(async () => {
    for (const one of undo.splice(0).toReversed()) await one();
  });

  async function authority(options: object): Promise<Pebble> {
    if (programs === null) throw new Error('there is no Pebble');
    const pebble = await Pebble.start(programs, { httpPort: ports.http, tlsPort: ports.https, ...options });
    undo.push(() => pebble.stop());
    await pebble.point(BASE, `connect.${BASE}`);
    return pebble;
  }
  const options = (...args: readonly string[]) => ({
    ...visitorsAt(ports),
    args: [`--base-domain=${BASE}`, ...args],
  });
  const served = (root: string): Promise<X509Certificate> => until(() => shownAt(ports.https, BASE, root));

  test('an account that exists elsewhere, a profile, the chain that was preferred; and "now" means now', async () => {
    const pebble = await authority({
      external: { [KEY_ID]: KEY },
      profiles: { shortlived: SIX_DAYS },
      alternateRoots: 1,
    });
    const second = await pebble.rootOf(1);
    const name = /CN=(.+)/.exec(new X509Certificate(second).subject)?.[1] ?? '';
    const flags = [
      ...pebble.flags,
      `--acme-eab=${KEY_ID}:${KEY}`,
      '--acme-profile=shortlived',
      `--acme-preferred-chain=${name}`,
    ];
    const platform = await Platform.start(options(...flags));
    undo.push(() => platform.dispose());
    const certificate = await served(second);
    expect((certificate.validToDate.getTime() - certificate.validFromDate.getTime()) / 1_000).toBeCloseTo(SIX_DAYS, -2);
    expect(await shownAt(ports.https, BASE, pebble.root)).toBeNull();

    const trust = path.join(platform.dataDir, 'root.pem');
    await writeFile(trust, second);
    if (clients.openssl) {
      const seen = await openssl(ports.https, BASE, trust);
      expect(seen, seen.text).toMatchObject({ verified: true });
    }
    if (clients.curl) {
      const seen = await curl(ports.https, BASE, trust, '--http2');
      expect(seen, seen.text).toMatchObject({ verified: true });
    }

    // What the authority wishes is asked for at each start, too.
    const [start, end] = [new Date(Date.now() - 7_200_000), new Date(Date.now() - 3_600_000)];
    await pebble.setRenewalInfo(certificate.toString(), { start, end });
    const again = await platform.restart('SIGTERM', {
      ...options(...flags),
      listen: platform.sameAddresses,
    });
    undo.push(() => again.dispose());
    const next = await until(async () => {
      const found = await shownAt(ports.https, BASE, second);
      return found?.serialNumber === certificate.serialNumber ? null : found;
    });
    expect(next.serialNumber).not.toBe(certificate.serialNumber);
    await expect.poll(() => again.output).toContain('the authority wants this certificate replaced now');
    // That of agents comes beside it, and may be the later one.
    const rows = async () => (await again.api('GET', '/tls_certificates')).body.tls_certificates;
    await expect.poll(rows).toHaveLength(2);
  });

  test('the second authority is asked where the first has no account for us, and the next renewal begins with the first', async () => {
    const listener = await selfSigned('localhost', 30);
    const strict = await authority({ listener, external: { [KEY_ID]: KEY } });
    const open = await authority({ listener });
    const flags = (key: string): readonly string[] => [
      '--acme-email=me@example.com',
      '--acme-agree-terms',
      `--acme-directory=${strict.directory}`,
      `--acme-directory=${open.directory}`,
      `--acme-ca-root=${strict.rootFile}`,
      `--acme-resolver=${strict.dns}`,
      `--acme-eab=${KEY_ID}:${key}`,
    ];
    const platform = await Platform.start(options(...flags(WRONG)));
    undo.push(() => platform.dispose());
    const certificate = await served(open.root);
    expect(certificate.issuer).toMatch(/Pebble/);
    await expect.poll(() => platform.output).toContain('a certificate authority has none now');

    const right = await platform.restart('SIGTERM', { ...options(...flags(KEY)), listen: platform.sameAddresses });
    undo.push(() => right.dispose());
    expect((await served(open.root)).serialNumber).toBe(certificate.serialNumber);
    const rows = (await right.api('GET', '/managed_certificates')).body.managed_certificates;
    const own = rows.find(({ names }: { names: string[] }) => names[0] === BASE);
    expect((await right.api('POST', `/managed_certificates/${own.id}/renew`, {})).status).toBe(204);
    await served(strict.root);
    expect(right.output).not.toContain('"level":"error"');
  });
});
