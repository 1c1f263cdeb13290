/** Certificates that come by themselves, from Pebble, to a real server; real clients verify what is served. */
import { setTimeout as wait } from 'node:timers/promises';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '@postern/edge/testing/free-port';
import { selfSigned } from '../support/certificates.ts';
import { findPebble, Pebble } from '../support/pebble.ts';
import { type ApiAnswer, Platform, visitorsAt } from '../support/platform.ts';
import { until } from '../support/until.ts';

const BASE = 'tun.example.com';
const programs = await findPebble();

interface Seen {
  readonly names: string;
  readonly issuer: string;
}

/** What a client that trusts Pebble alone is convinced of; or the error. */
function seen(port: number, servername: string, root: string): Promise<Seen | string> {
  return new Promise((resolve) => {
    const socket = tls.connect({ host: '127.0.0.1', port, servername, ca: root }, () => {
      const { subjectaltname = '', issuer } = socket.getPeerCertificate();
      socket.destroy();
      resolve({ names: subjectaltname, issuer: String(issuer.CN) });
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

describe.skipIf(programs === null)('with Pebble', () => {
  let pebble: Pebble;
  let ports: { http: number; https: number };
  const platforms: Platform[] = [];
  afterEach(() => Promise.all(platforms.splice(0).map((platform) => platform.dispose())));
  beforeAll(async () => {
    ports = { http: await freePort(), https: await freePort() };
    if (programs === null) return;
    pebble = await Pebble.start(programs, { httpPort: ports.http, tlsPort: ports.https });
  });
  afterAll(async () => {
    await pebble?.stop();
  });

  async function start(args: readonly string[] = [], dataDir?: string): Promise<Platform> {
    const platform = await Platform.start({
      ...visitorsAt(ports),
      ...(dataDir === undefined ? {} : { dataDir }),
      args: [`--base-domain=${BASE}`, ...pebble.flags, ...args],
    });
    platforms.push(platform);
    return platform;
  }
  const trusted = (name: string): Promise<Seen> =>
    until(async () => {
      const found = await seen(ports.https, name, pebble.root);
      return typeof found === 'string' ? null : found;
    });

  test('the base domain gets one by HTTP-01, and agents see it too; it is there after a kill -9', async () => {
    await pebble.point(BASE, `connect.${BASE}`);
    const platform = await start();
    expect(await trusted(BASE)).toEqual({ names: `DNS:${BASE}`, issuer: expect.stringMatching(/^Pebble/) });
    expect(await trusted(`connect.${BASE}`)).toMatchObject({ names: `DNS:connect.${BASE}` });
    const certificates = (await platform.api('GET', '/tls_certificates')).body.tls_certificates;
    expect(certificates).toHaveLength(2);
    const read = async () => (await fetch(`${platform.runtime.metrics_url}/metrics`)).text();
    // Counted when it is served.
    await expect.poll(read).toMatch(/^postern_acme_issued_total 2$/m);
    const metrics = await read();
    expect(metrics).toMatch(/^postern_acme_certificates\{state="served"\} 2$/m);
    expect(Number(/^postern_acme_soonest_not_after_seconds (\S+)$/m.exec(metrics)?.[1])).toBeGreaterThan(
      Date.now() / 1_000,
    );
    const again = await platform.restart('SIGKILL', {
      publicPorts: 'listeners',
      listen: platform.sameAddresses,
      args: [`--base-domain=${BASE}`, ...pebble.flags],
    });
    platforms.push(again);
    expect(await seen(ports.https, BASE, pebble.root)).toMatchObject({ names: `DNS:${BASE}` });
    expect((await again.api('GET', '/tls_certificates')).body.tls_certificates).toEqual(certificates);
  });

  const domainOf = async (platform: Platform, id: string): Promise<ApiAnswer['body']> =>
    (await platform.api('GET', `/reserved_domains/${id}`)).body;

  test('a custom domain gets one when it leads here; until then it says what to do, and costs no order', async () => {
    await pebble.point(BASE, `connect.${BASE}`);
    const platform = await start();
    const made = await platform.api('POST', '/reserved_domains', { domain: 'shop.customer.example' });
    expect(made.body).toMatchObject({
      cname_target: BASE,
      certificate: null,
      certificate_management_policy: { authority: 'letsencrypt', private_key_type: 'ecdsa' },
      certificate_management_status: { renews_at: null, provisioning_job: { msg: expect.any(String) } },
      acme_challenge_cname_target: null,
    });
    const { id } = made.body;
    const waiting = await until(async () => {
      const { certificate_management_status: status } = await domainOf(platform, id);
      return status.provisioning_job?.error_code === 'DNS_ERROR' ? status.provisioning_job : null;
    });
    expect(waiting).toMatchObject({ msg: expect.stringMatching(`CNAME record for shop.customer.example .* ${BASE}`) });
    expect(Date.parse(waiting.retries_at)).toBeGreaterThan(Date.parse(waiting.started_at));
    // A name without a certificate is nobody's, and no certificate of this installation stands in for it.
    expect(await seen(ports.https, 'shop.customer.example', pebble.root)).toBe('ERR_SSL_TLSV1_UNRECOGNIZED_NAME');

    await pebble.point('shop.customer.example');
    await platform.api('PATCH', `/reserved_domains/${id}`, {
      certificate_management_policy: { authority: 'letsencrypt', private_key_type: 'rsa' },
    });
    expect(await trusted('shop.customer.example')).toMatchObject({ names: 'DNS:shop.customer.example' });
    // When to renew follows the wish of the authority, which is asked for in a moment.
    const ready = await until(async () => {
      const before = await domainOf(platform, id);
      await wait(1_000);
      const { renews_at: after } = (await domainOf(platform, id)).certificate_management_status;
      return after === before.certificate_management_status.renews_at ? before : null;
    });
    expect(ready.certificate_management_status).toMatchObject({
      provisioning_job: null,
      renews_at: expect.any(String),
    });
    const certificate = await platform.api('GET', `/tls_certificates/${ready.certificate.id}`);
    expect(certificate.body).toMatchObject({
      subject_alternative_names: { dns_names: ['shop.customer.example'], ips: [] },
      private_key_type: 'rsa',
      issued_at: expect.any(String),
    });
    expect(certificate.text).not.toContain('PRIVATE KEY');
    // Read back the same: what a client that compares needs.
    expect(await domainOf(platform, id)).toEqual(ready);
    expect((await platform.api('DELETE', `/tls_certificates/${ready.certificate.id}`)).body.error_code).toBe(
      'ERR_NGROK_1926',
    );
    expect((await platform.api('DELETE', `/reserved_domains/${id}/certificate`)).body.error_code).toBe('ERR_NGROK_436');

    expect((await platform.api('DELETE', `/reserved_domains/${id}/certificate_management_policy`)).status).toBe(204);
    expect(await domainOf(platform, id)).toMatchObject({
      certificate: null,
      certificate_management_policy: null,
      certificate_management_status: null,
    });
    await until(
      async () => (await seen(ports.https, 'shop.customer.example', pebble.root)) === 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME',
    );
    expect((await platform.api('GET', `/tls_certificates/${ready.certificate.id}`)).status).toBe(404);
  });

  test('an uploaded certificate is served for the domain that names it, and for no other name inside it', async () => {
    await pebble.point(BASE, `connect.${BASE}`);
    const platform = await start();
    const { cert, key } = await selfSigned('own.customer.example');
    const upload = { certificate_pem: cert.toString(), private_key_pem: key.toString() };
    const uploaded = (await platform.api('POST', '/tls_certificates', upload)).body;
    expect(await seen(ports.https, 'own.customer.example', cert.toString())).toBe('ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
    const both = { certificate_id: uploaded.id, certificate_management_policy: { authority: 'letsencrypt' } };
    const create = (more: object) =>
      platform.api('POST', '/reserved_domains', { domain: 'own.customer.example', ...more });
    expect((await create(both)).body.error_code).toBe('ERR_NGROK_434');
    expect((await create({ certificate_id: 'cert_none' })).body.error_code).toBe('ERR_NGROK_1907');
    const made = await create({ certificate_id: uploaded.id });
    expect(made.body).toMatchObject({
      certificate: { id: uploaded.id },
      certificate_management_policy: null,
      certificate_management_status: null,
    });
    await until(async () => typeof (await seen(ports.https, 'own.customer.example', cert.toString())) !== 'string');
    expect((await platform.api('DELETE', `/tls_certificates/${uploaded.id}`)).body.error_code).toBe('ERR_NGROK_1926');
    expect((await platform.api('DELETE', `/reserved_domains/${made.body.id}/certificate`)).status).toBe(204);
    await until(
      async () =>
        (await seen(ports.https, 'own.customer.example', cert.toString())) === 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME',
    );
    expect((await platform.api('DELETE', `/tls_certificates/${uploaded.id}`)).status).toBe(204);
  });

  test('where port 80 is closed, control is shown by TLS', async () => {
    await pebble.point(BASE, `connect.${BASE}`);
    const platform = await start([`--public-http-port=${await freePort()}`]);
    expect(await trusted(BASE)).toMatchObject({ names: `DNS:${BASE}` });
    expect(platform.output).not.toContain('"level":"error"');
  });
});
