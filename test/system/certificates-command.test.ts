/** `postern certificates` against a real server that orders from Pebble: what people see, ask for, and are told to do. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postern, type CommandResult } from '../support/cli.ts';
import { freePort } from '@postern/edge/testing/free-port';
import { findPebble, Pebble } from '../support/pebble.ts';
import { Platform, visitorsAt } from '../support/platform.ts';
import { until } from '../support/until.ts';

const BASE = 'tun.example.com';
const programs = await findPebble();

describe.skipIf(programs === null)('with Pebble', () => {
  let pebble: Pebble;
  let platform: Platform;
  let https = 0;
  let trust = '';
  beforeAll(async () => {
    if (programs === null) return;
    const http = await freePort();
    https = await freePort();
    pebble = await Pebble.start(programs, { httpPort: http, tlsPort: https });
    await pebble.point(BASE, `connect.${BASE}`);
    platform = await Platform.start({
      ...visitorsAt({ http, https }),
      args: [`--base-domain=${BASE}`, ...pebble.flags],
    });
    trust = path.join(platform.dataDir, 'pebble.pem');
    await writeFile(trust, pebble.root);
  });
  afterAll(async () => {
    await platform?.dispose();
    await pebble?.stop();
  });

  const run = (...args: readonly string[]): Promise<CommandResult> =>
    postern(['certificates', ...args], {
      POSTERN_API_URL: platform.runtime.api_url,
      POSTERN_API_KEY: platform.apiKey,
      HOME: platform.dataDir,
      XDG_CONFIG_HOME: platform.dataDir,
      NODE_EXTRA_CA_CERTS: trust,
    });
  // What is printed is what is asserted.
  // oxlint-disable-next-line typescript/no-explicit-any
  const json = async (...args: readonly string[]): Promise<any> => JSON.parse((await run(...args, '--json')).stdout);
  const active = (name: string): Promise<unknown> =>
    until(async () => {
      const [one] = await json('show', name);
      return one.status === 'active' ? one : null;
    });

  test('list and show: from whom, until when, when the next one comes', async () => {
    const own = await active(BASE);
    await active(`connect.${BASE}`);
    expect(own).toMatchObject({
      names: [BASE],
      managed: true,
      keyType: 'ecdsa',
      issuer: expect.stringMatching(/^Pebble/),
      authority: new URL(pebble.directory).host,
      challenge: expect.stringContaining('http-01'),
      next: expect.stringMatching(/^Nothing: the next one is ordered at /),
    });
    const { stdout, code } = await run('list');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^NAMES +STATUS +FROM +UNTIL +RENEWS +NEXT STEP$/m);
    expect(stdout).toMatch(
      /^tun\.example\.com +active +Pebble .* +\d{4}-\d\d-\d\d \(\d+ d\) +\d{4}-\d\d-\d\d +Nothing/m,
    );
    expect(await run('show', 'none.example.org')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no certificate for'),
    });
  });

  test('renew orders another one, and not at once again', async () => {
    const before = await active(BASE);
    const { code, stdout, stderr } = await run('renew', BASE);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Status +active$/m);
    const after = await active(BASE);
    expect(after).not.toMatchObject({ certificateId: (before as { certificateId: string }).certificateId });
    // A moment is ten seconds, in which a busy machine may not come to ask again: then that one was the first.
    const again = await until(async () => {
      const asked = await run('renew', BASE);
      return asked.code === 0 ? null : asked;
    });
    expect(again).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/looked at a moment ago\. Ask again in \d+ seconds/),
    });
  });

  test('check says whether an order would succeed, costs none, and shows what clients meet', async () => {
    await active(`connect.${BASE}`);
    const good = await run('check', `connect.${BASE}`, '--address', '127.0.0.1', '--port', String(https));
    expect(good.stdout).toContain(`[ OK ]    connect.${BASE}: http-01, the name leads here over HTTP`);
    expect(good.stdout).toMatch(
      /\[ OK \] {4}served: connect\.tun\.example\.com at 127\.0\.0\.1: certificate of Pebble/,
    );
    expect(good.code).toBe(0);
    await platform.api('POST', '/reserved_domains', { domain: 'shop.customer.example' });
    await until(async () => {
      const [one] = await json('show', 'shop.customer.example').catch(() => [{}]);
      return one.status === 'failing' ? one : null;
    });
    const bad = await run('check', 'shop.customer.example', '--address', '127.0.0.1', '--port', String(https));
    expect(bad.stdout).toMatch(/\[ FAIL \] {2}shop\.customer\.example: Create a CNAME record/);
    expect(bad.stdout).toMatch(/\[ FAIL \] {2}served: 127\.0\.0\.1 port \d+: .*unrecognized name/);
    expect(bad.code).toBe(1);
    const metrics = await (await fetch(`${platform.runtime.metrics_url}/metrics`)).text();
    expect(metrics).toMatch(/^postern_acme_failed_total\{.*DNS_ERROR.*\} 1$/m);
  });

  test('rows of others are not there, and one of another account may not be renewed', async () => {
    const list = await platform.api('GET', '/managed_certificates');
    expect(list.body.managed_certificates.length).toBeGreaterThanOrEqual(2);
    const [row] = list.body.managed_certificates;
    expect((await platform.api('GET', `/managed_certificates/${row.id}`)).body).toEqual(row);
    const filtered = await platform.api(
      'GET',
      `/managed_certificates?filter=${encodeURIComponent(`"${BASE}" in obj.names`)}`,
    );
    expect(filtered.body.managed_certificates).toMatchObject([{ names: [BASE], checks: null }]);
    const none = `mcert_${'2'.repeat(27)}`;
    expect((await platform.api('POST', `/managed_certificates/${none}/renew`)).status).toBe(404);
    expect((await platform.api('POST', `/managed_certificates/${none}/check`)).status).toBe(404);
    expect((await platform.api('DELETE', `/managed_certificates/${row.id}`)).body.error_code).toBe('ERR_NGROK_90095');
  });
});

test('a server that orders none says so, and what to do', async () => {
  const platform = await Platform.start();
  try {
    const { code, stdout } = await postern(['certificates', 'list'], {
      POSTERN_API_URL: platform.runtime.api_url,
      POSTERN_API_KEY: platform.apiKey,
      HOME: platform.dataDir,
      XDG_CONFIG_HOME: platform.dataDir,
    });
    expect([code, stdout]).toEqual([0, 'There are no certificates.\n']);
  } finally {
    await platform.dispose();
  }
});
