/** Answers of OCSP in handshakes: Pebble's certificate names a responder, which is OpenSSL's. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from '@postern/edge/testing/free-port';
import { findPebble, Pebble } from '../support/pebble.ts';
import { Platform, visitorsAt } from '../support/platform.ts';
import { hasProgram, openssl, shownAt } from '../support/tls-clients.ts';
import { until } from '../support/until.ts';

const BASE = 'tun.example.com';
const programs = await findPebble();
const hasOpenssl = await hasProgram('openssl', 'version');

describe.skipIf(programs === null || !hasOpenssl)('with Pebble and OpenSSL', () => {
  const undo: (() => unknown)[] = [];
  afterEach(async () => {
    for (const one of undo.splice(0).toReversed()) await one();
  });

  const serialOf = async (port: number, ca: string): Promise<string | null> =>
    (await shownAt(port, BASE, ca))?.serialNumber ?? null;

  test('a handshake carries that the certificate is good; once it is revoked, it carries nothing', async () => {
    if (programs === null) return;
    const folder = await mkdtemp(path.join(tmpdir(), 'postern-ocsp-'));
    undo.push(() => rm(folder, { recursive: true, force: true }));
    const file = (name: string): string => path.join(folder, name);
    const ports = { http: await freePort(), https: await freePort(), ocsp: await freePort() };
    const pebble = await Pebble.start(programs, {
      httpPort: ports.http,
      tlsPort: ports.https,
      ocsp: `http://127.0.0.1:${ports.ocsp}/`,
    });
    undo.push(() => pebble.stop());
    await pebble.point(BASE, `connect.${BASE}`);
    await writeFile(file('root.pem'), pebble.root);
    await writeFile(file('issuer.pem'), await pebble.manage('/intermediates/0'));
    await writeFile(file('issuer.key'), await pebble.manage('/intermediate-keys/0'));
    const options = {
      ...visitorsAt(ports),
      args: [`--base-domain=${BASE}`, ...pebble.flags],
    };
    const first = await Platform.start(options);
    undo.push(() => first.dispose());
    const serial = await until(() => serialOf(ports.https, pebble.root));
    await until(() => first.output.includes('there is no answer of OCSP to carry'));
    const status = async (): Promise<string> => (await openssl(ports.https, BASE, file('root.pem'), '-status')).text;
    expect(await status()).toContain('OCSP response: no response sent');

    const good = await respond(`V\t350101000000Z\t\t${serial}\tunknown\t/CN=${BASE}\n`);
    const second = await first.restart('SIGTERM', { ...options, listen: first.sameAddresses });
    undo.push(() => second.dispose());
    const shown = await until(async () => {
      const text = await status();
      return text.includes('OCSP Response Status: successful') ? text : null;
    });
    expect(shown).toMatch(/Cert Status: good/);
    expect(shown).toMatch(/Verify return code: 0 \(ok\)/);

    await good.end();
    await respond(`R\t350101000000Z\t251101000000Z\t${serial}\tunknown\t/CN=${BASE}\n`);
    const third = await second.restart('SIGTERM', { ...options, listen: first.sameAddresses });
    undo.push(() => third.dispose());
    await until(() => third.output.includes('the certificate was revoked, says its authority'));
    expect(await status()).toContain('OCSP response: no response sent');

    async function respond(index: string): Promise<{ end(): Promise<void> }> {
      await writeFile(file('index.txt'), index);
      const child: ChildProcess = spawn(
        'openssl',
        [
          'ocsp',
          '-index',
          file('index.txt'),
          '-port',
          String(ports.ocsp),
          '-nmin',
          '60',
          '-CA',
          file('issuer.pem'),
          '-rsigner',
          file('issuer.pem'),
          '-rkey',
          file('issuer.key'),
        ],
        { stdio: ['ignore', 'pipe', 'pipe'] },
      );
      let said = '';
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (part: Buffer) => (said += part.toString()));
      const end = async (): Promise<void> => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        await ended;
      };
      undo.push(end);
      // A connection that says nothing would hold it up.
      await until(() => said.includes('waiting for OCSP client connections'));
      return { end };
    }
  });
});
