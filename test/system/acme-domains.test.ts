/**
 * A reserved domain with a certificate that is kept, from its first call to its last, as clients that compare what they
 * wrote with what they read use it; and what a browser makes of it.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { loadKey, openStore } from '@postern/store';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { agentOf } from '../support/agent.ts';
import { startBrowser } from '../support/browser.ts';
import { AcmeServer } from '../support/acme-server.ts';
import type { CaRelay } from '../support/ca-relay.ts';
import { selfSigned } from '../support/certificates.ts';
import { findPebble, type Pebble } from '../support/pebble.ts';
import { type ApiAnswer, Platform } from '../support/platform.ts';
import { shownAt } from '../support/tls-clients.ts';
import { until } from '../support/until.ts';
import { httpUpstream } from '../support/upstream.ts';

const BASE = 'tun.example.com';
const NAME = 'shop.customer.example';
const programs = await findPebble();

describe.skipIf(programs === null)('with Pebble', () => {
  const undo: (() => unknown)[] = [];
  let pebble: Pebble;
  let relay: CaRelay;
  let ports: AcmeServer['ports'];
  let platform: Platform;
  beforeEach(async () => {
    if (programs === null) return;
    const made = await AcmeServer.prepare(programs, BASE, [NAME], undo);
    ({ pebble, relay, ports } = made);
    platform = await Platform.start(made.options);
    undo.push(() => platform.dispose());
  });
  afterEach(async () => {
    for (const one of undo.splice(0).toReversed()) await one();
  });

  /** By itself and in the list it is the same; an order that goes on between the two is why both are asked again. */
  const read = (id: string): Promise<ApiAnswer['body']> =>
    until(async () => {
      const { status, body } = await platform.api('GET', `/reserved_domains/${id}`);
      expect(status).toBe(200);
      const { reserved_domains: all } = (await platform.api('GET', '/reserved_domains')).body;
      expect(all.find((one: { id: string }) => one.id === id)).toEqual(body);
      return body;
    });
  /** What a client plans with: all that it wrote, and all that is not of the moment. */
  const planned = ({ certificate_management_status: _status, certificate, ...body }: ApiAnswer['body']) => ({
    ...body,
    certificate: certificate === null ? null : certificate.id,
  });
  /** A certificate is there, other than `before`, and nothing of it moves any more. */
  const settled = (id: string, before = ''): Promise<ApiAnswer['body']> =>
    until(async () => {
      const first = await read(id);
      const job = first.certificate_management_status?.provisioning_job;
      if (first.certificate === null || first.certificate.id === before || job !== null) return null;
      // The authority's wish is asked for once it is issued, and is written down in a moment.
      if (relay.wishes < relay.made.order) return null;
      await wait(1_000);
      return JSON.stringify(await read(id)) === JSON.stringify(first) ? first : null;
    });
  const served = (): Promise<X509Certificate | null> => shownAt(ports.https, NAME, null);

  test('what was written is read back the same at each step, and nothing is left when it is gone', async () => {
    const written = {
      domain: NAME,
      description: 'shop',
      metadata: '{"team":"a"}',
      certificate_management_policy: { authority: 'letsencrypt', private_key_type: 'ecdsa' },
    };
    const made = await platform.api('POST', '/reserved_domains', written);
    expect(made.body).toMatchObject(written);
    const { id } = made.body;
    const route = `/reserved_domains/${id}`;
    expect(planned(await read(id))).toEqual(planned(made.body));

    const first = await settled(id);
    expect(planned(first)).toEqual({ ...planned(made.body), certificate: first.certificate.id });
    // Applied again as it is: nothing changes, and nothing is ordered.
    const { domain: _domain, ...changeable } = written;
    const same = await platform.api('PATCH', route, changeable);
    expect(same.body).toEqual(first);
    expect(await read(id)).toEqual(first);
    expect(relay.made).toEqual({ account: 1, order: 1 });

    const rsa = { certificate_management_policy: { authority: 'letsencrypt', private_key_type: 'rsa' } };
    const changed = await platform.api('PATCH', route, { description: 'shop 2', ...rsa });
    expect(planned(changed.body)).toEqual({ ...planned(first), description: 'shop 2', ...rsa });
    const second = await settled(id, first.certificate.id);
    expect(planned(second)).toEqual({ ...planned(changed.body), certificate: second.certificate.id });
    expect((await served())?.publicKey.asymmetricKeyType).toBe('rsa');

    // A certificate that is kept is not taken away by itself.
    expect((await platform.api('DELETE', `${route}/certificate`)).body.error_code).toBe('ERR_NGROK_436');
    expect(await read(id)).toEqual(second);
    expect((await platform.api('DELETE', `${route}/certificate_management_policy`)).status).toBe(204);
    const without = await read(id);
    expect(without).toEqual({
      ...second,
      certificate: null,
      certificate_management_policy: null,
      certificate_management_status: null,
    });

    const { cert, key } = await selfSigned(NAME);
    const upload = { certificate_pem: cert.toString(), private_key_pem: key.toString() };
    const uploaded = (await platform.api('POST', '/tls_certificates', upload)).body;
    const given = await platform.api('PATCH', route, { certificate_id: uploaded.id });
    expect(planned(given.body)).toEqual({ ...planned(without), certificate: uploaded.id });
    expect(await read(id)).toEqual(given.body);
    await until(async () => (await served())?.fingerprint256 === new X509Certificate(cert).fingerprint256);

    const back = await platform.api('PATCH', route, rsa);
    expect(planned(back.body)).toEqual({ ...planned(without), ...rsa });
    const last = await settled(id, uploaded.id);
    expect(planned(last)).toEqual({ ...planned(back.body), certificate: last.certificate.id });
    expect(relay.made).toEqual({ account: 1, order: 3 });

    // The reservation goes, and with it whatever was kept for it: rows, keys, what is served, and renewals.
    expect((await platform.api('DELETE', route)).status).toBe(204);
    expect((await platform.api('GET', route)).status).toBe(404);
    await until(async () => (await served()) === null);
    expect((await platform.api('GET', '/tls_certificates')).body.tls_certificates).toEqual([uploaded]);
    await platform.stop();
    const encryptionKey = await loadKey(platform.dataDir);
    const store = await openStore({ directory: platform.dataDir, encryptionKey: encryptionKey ?? new Uint8Array() });
    undo.push(() => store.close());
    const rows = await store.all('managedCertificates');
    expect(rows.filter(({ domainId }) => domainId !== '')).toEqual([]);
    expect((await store.all('tlsCertificates')).map((row) => row.id)).toEqual([uploaded.id]);
    expect((await store.all('acmeOrders')).map((row) => row.key)).toEqual(['', '', '']);
  });

  test('a browser that trusts the authority opens the page of an agent, and no page of another authority', async () => {
    const intermediate = new X509Certificate(await pebble.manage('/intermediates/0'));
    const spki = intermediate.publicKey.export({ type: 'spki', format: 'der' });
    const pin = createHash('sha256').update(spki).digest('base64');
    const rules = `--host-resolver-rules=MAP * 127.0.0.1`;
    // Trusts what this key has signed, and nothing else that public authorities have not.
    const chrome = await startBrowser('a page in Chromium', [rules, `--ignore-certificate-errors-spki-list=${pin}`]);
    if (chrome === null) return;
    undo.push(() => chrome.close());
    const { body } = await platform.api('POST', '/reserved_domains', { domain: NAME });
    const upstream = await httpUpstream((_request, response) => response.end('<title>open</title>'));
    undo.push(() => upstream.close());
    const agent = agentOf(platform);
    undo.push(() => agent.close(0));
    await agent.listen({ url: `https://${NAME}`, upstream: upstream.url });
    await settled(body.id);

    const page = await chrome.browser.newPage();
    const answer = await page.goto(`https://${NAME}:${ports.https}/`);
    expect(await page.title()).toBe('open');
    expect(await answer?.securityDetails()).toMatchObject({
      protocol: 'TLS 1.3',
      issuer: intermediate.subject.replace(/^CN=/, ''),
    });
    // The local authority stands in for the base domain, and it is nobody that this browser trusts.
    await expect(page.goto(`https://${BASE}:${ports.https}/`)).rejects.toThrow('ERR_CERT_AUTHORITY_INVALID');
  });
});
