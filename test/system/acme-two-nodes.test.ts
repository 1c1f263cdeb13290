/** Two nodes on one store want the same names kept certified: each is ordered once, and both serve it. */
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

const NAMES = ['a.customer.example', 'b.customer.example', 'c.other.example'];
const programs = await findPebble();

interface Node {
  readonly manager: CertificateManager;
  readonly served: Map<string, TlsIdentity>;
  /** Milliseconds that its clock is ahead. */
  ahead: number;
}

describe.skipIf(programs === null)('with Pebble', () => {
  const undo: (() => unknown)[] = [];
  let pebble: Pebble;
  let relay: CaRelay;
  let store: Store;
  let wanted: readonly Subject[];
  let port: number;
  const boards = new Map<string, readonly Challenge[]>();

  beforeEach(async () => {
    if (programs === null) return;
    // What stands before the edges of both: whichever knows an answer gives it.
    const front = http.createServer((request, response) => {
      const challenges = [...boards.values()].flat();
      const asked = challenges.find(
        (one) =>
          one.kind === 'http-01' &&
          request.headers.host?.split(':')[0] === one.name &&
          request.url === `/.well-known/acme-challenge/${one.token}`,
      );
      response.writeHead(asked === undefined ? 404 : 200).end(asked?.kind === 'http-01' ? asked.answer : '');
    });
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    undo.push(() => front.close());
    port = portOf(front);
    pebble = await Pebble.start(programs, { httpPort: port, tlsPort: port });
    undo.push(() => pebble.stop());
    await pebble.point(...NAMES);
    relay = await CaRelay.start(pebble);
    undo.push(() => relay.stop());
    const directory = await mkdtemp(path.join(tmpdir(), 'postern-nodes-'));
    undo.push(() => rm(directory, { recursive: true }));
    store = await openStore({ directory, encryptionKey: new Uint8Array(32) });
    undo.push(() => store.close());
    const [account] = await store.accounts();
    wanted = NAMES.map((name, n) => ({
      accountId: account?.id ?? '',
      domainId: `rd_${n}`,
      names: [name],
      keyType: 'ecdsa',
    }));
  });
  afterEach(async () => {
    for (const one of undo.splice(0).toReversed()) await one();
  });

  async function node(name: string): Promise<Node> {
    const served = new Map<string, TlsIdentity>();
    const ids = createIdSource();
    const root = await readFile(pebble.rootFile, 'utf8');
    const made = { served, ahead: 0 };
    const parts: AcmeParts = {
      config: {
        email: 'me@example.com',
        authorities: [{ directory: relay.directory, root, external: null, profile: '', preferredChain: '' }],
        httpPort: port,
        httpsPort: port,
        baseDomains: ['tun.example.com'],
        userAgent: 'postern/test',
      },
      store,
      ids,
      node: name,
      now: () => Date.now() + made.ahead,
      random: Math.random,
      log: { info: () => {}, warn: () => {}, error: (fields, message) => console.error(name, fields, message) },
      present: (challenges) => Promise.resolve(void boards.set(name, challenges)),
      changed: ({ names }, identity) => {
        for (const one of names) if (identity !== null) served.set(one, identity);
        return Promise.resolve();
      },
      trusted: () => false,
      lifeOf: ({ names: [first = ''] }) => lifeIn(served.get(first)),
      describe: (chain, key) => certificateFields(new X509Certificate(chain), key),
      wanted: () => Promise.resolve(wanted),
      wantedFor: (id) => Promise.resolve(wanted.filter(({ domainId }) => domainId === id)),
      dns: null,
      challengeRecord: (wildcard) => wildcard,
      records: { cname: () => Promise.resolve([]), txt: () => Promise.resolve([]) },
      resolve: () => Promise.resolve(['127.0.0.1']),
    };
    const manager = new CertificateManager(parts);
    undo.push(() => manager.stop());
    return Object.assign(made, { manager });
  }

  test('each name is ordered once, at the start and when it is to be replaced', async () => {
    const nodes = [await node('one'), await node('two')];
    await Promise.all(nodes.map(({ manager }) => manager.start()));
    const certificates = ({ served }: Node): string => NAMES.map((name) => served.get(name)?.cert ?? '').join();
    const look = (): void => {
      const [one, two] = nodes.map(certificates);
      for (const { manager } of nodes) manager.look();
      // What waits for the other node looks again before half a minute is over. While none is done nobody's time runs: on a
      // busy machine an order would take longer than it may.
      if (one !== two) for (const waiting of nodes) waiting.ahead += 31_000;
    };
    const same = async (orders: number): Promise<void> => {
      await until(
        () => {
          look();
          return NAMES.every(
            (name) =>
              nodes[0]?.served.has(name) && nodes[0].served.get(name)?.cert === nodes[1]?.served.get(name)?.cert,
          );
        },
        60_000,
        1_000,
      );
      expect(relay.made).toEqual({ account: 1, order: orders });
      expect(await store.all('managedCertificates')).toHaveLength(NAMES.length);
      expect(await store.all('tlsCertificates')).toHaveLength(NAMES.length);
    };
    await same(3);
    const before = NAMES.map((name) => nodes[0]?.served.get(name)?.cert);
    // Another kind of key is wanted, and both hear of it at once.
    wanted = wanted.map((subject) => ({ ...subject, keyType: 'rsa' }));
    await Promise.all(nodes.flatMap(({ manager }) => wanted.map(({ domainId }) => manager.domainChanged(domainId))));
    await until(() => NAMES.every((name, n) => nodes.some(({ served }) => served.get(name)?.cert !== before[n])));
    await same(6);
  });
});
