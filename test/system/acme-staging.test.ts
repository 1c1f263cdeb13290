/** A directory for tests, named on a server that people use: what browsers trust stays, and no order is wasted twice. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CertificateManager, type AcmeParts, type Subject } from '@postern/acme';
import { certificateFields } from '@postern/control';
import type { Challenge, TlsIdentity } from '@postern/link';
import { createIdSource, openStore, type Store } from '@postern/store';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CaRelay } from '../support/ca-relay.ts';
import { lifeIn } from '../support/life-in.ts';
import { findPebble, Pebble } from '../support/pebble.ts';
import { portOf } from '../support/port-of.ts';
import { until } from '../support/until.ts';

const [OLD, NEW] = ['old.customer.example', 'new.customer.example'];
const HOUR = 3_600_000;
const programs = await findPebble();

describe.skipIf(programs === null)('with two Pebbles, one of which browsers trust', () => {
  const undo: (() => unknown)[] = [];
  let production: Pebble;
  let staging: CaRelay;
  let stagingRoot: string;
  let store: Store;
  let port: number;
  let ahead = 0;
  let challenges: readonly Challenge[] = [];
  const served = new Map<string, TlsIdentity>();

  beforeEach(async () => {
    if (programs === null) return;
    const front = http.createServer((request, response) => {
      const asked = challenges.find(
        (one) => one.kind === 'http-01' && request.url === `/.well-known/acme-challenge/${one.token}`,
      );
      response.writeHead(asked === undefined ? 404 : 200).end(asked?.kind === 'http-01' ? asked.answer : '');
    });
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    undo.push(() => front.close());
    port = portOf(front);
    production = await Pebble.start(programs, { httpPort: port, tlsPort: port, validity: 24 * 3_600 });
    undo.push(() => production.stop());
    const other = await Pebble.start(programs, { httpPort: port, tlsPort: port });
    undo.push(() => other.stop());
    stagingRoot = await readFile(other.rootFile, 'utf8');
    staging = await CaRelay.start(other);
    undo.push(() => staging.stop());
    for (const pebble of [production, other]) await pebble.point(OLD, NEW);
    const directory = await mkdtemp(path.join(tmpdir(), 'postern-staging-'));
    undo.push(() => rm(directory, { recursive: true }));
    store = await openStore({ directory, encryptionKey: new Uint8Array(32) });
    undo.push(() => store.close());
  });
  afterEach(async () => {
    for (const one of undo.splice(0).toReversed()) await one();
  });

  /** Keeps those names certified by that authority, from now on. */
  async function manage(directory: string, root: string, names: readonly string[]): Promise<CertificateManager> {
    const [account] = await store.accounts();
    const wanted = names.map((name): Subject => ({
      accountId: account?.id ?? '',
      domainId: `rd_${name}`,
      names: [name],
      keyType: 'ecdsa',
    }));
    const parts: AcmeParts = {
      config: {
        email: 'me@example.com',
        authorities: [{ directory, root, external: null, profile: '', preferredChain: '' }],
        httpPort: port,
        httpsPort: port,
        baseDomains: ['tun.example.com'],
        userAgent: 'postern/test',
      },
      store,
      ids: createIdSource(),
      node: 'one',
      now: () => Date.now() + ahead,
      random: Math.random,
      log: { info: () => {}, warn: () => {}, error: (fields, message) => console.error(fields, message) },
      present: (now) => Promise.resolve(void (challenges = now)),
      changed: ({ names: [name = ''] }, identity) => {
        if (identity !== null) served.set(name, identity);
        return Promise.resolve();
      },
      lifeOf: ({ names: [first = ''] }) => lifeIn(served.get(first)),
      trusted: isTrusted,
      describe: (chain, key) => certificateFields(new X509Certificate(chain), key),
      wanted: () => Promise.resolve(wanted),
      wantedFor: () => Promise.resolve([]),
      dns: null,
      challengeRecord: (wildcard) => wildcard,
      records: { cname: () => Promise.resolve([]), txt: () => Promise.resolve([]) },
      resolve: () => Promise.resolve(['127.0.0.1']),
    };
    const manager = new CertificateManager(parts);
    undo.push(() => manager.stop());
    await manager.start();
    return manager;
  }
  /** Browsers of this test know one root. */
  const isTrusted = (chain: string): boolean => {
    const top = new X509Certificate(chain.slice(chain.lastIndexOf('-----BEGIN')));
    return top.verify(new X509Certificate(production.root).publicKey);
  };
  const rowOf = async (name: string) => (await store.all('managedCertificates')).find(({ names }) => names[0] === name);

  test('the certificate that browsers trust stays until it ends; a name without one gets what there is', async () => {
    const first = await manage(production.directory, await readFile(production.rootFile, 'utf8'), [OLD]);
    await until(() => served.has(OLD));
    first.stop();
    const before = served.get(OLD);
    expect(isTrusted(before?.cert ?? '')).toBe(true);

    const second = await manage(staging.directory, stagingRoot, [OLD]);
    const renew = async (): Promise<void> => {
      ahead += 11_000;
      expect(await second.renew((await rowOf(OLD))?.id ?? '')).toBe(0);
      await until(async () => (await rowOf(OLD))?.errorCode === 'CA_REFUSED');
    };
    await renew();
    expect((await rowOf(OLD))?.message).toMatch(
      /^localhost:\d+ is no authority that browsers trust: the certificate that they do trust stays until \d{4}-/,
    );
    await renew();
    // What it is has been seen once.
    expect(staging.made.order).toBe(1);
    expect(served.get(OLD)).toBe(before);
    expect((await store.all('tlsCertificates')).filter(({ certificatePem }) => isTrusted(certificatePem))).toHaveLength(
      1,
    );

    second.stop();
    const third = await manage(staging.directory, stagingRoot, [OLD, NEW]);
    await until(() => served.has(NEW));
    expect(isTrusted(served.get(NEW)?.cert ?? '')).toBe(false);

    ahead += 25 * HOUR;
    third.look();
    await until(() => served.get(OLD) !== before);
    expect(isTrusted(served.get(OLD)?.cert ?? '')).toBe(false);
    expect(await rowOf(OLD)).toMatchObject({ errorCode: '', message: '' });
  });
});
