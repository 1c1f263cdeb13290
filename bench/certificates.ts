/**
 * What reserved custom domains with a certificate each cost a server: its start, its memory, and a handshake, beside the
 * same server with the same domains and no certificates, and beside one with a single certificate; then a look-up among
 * ten times as many. Usage: node scripts/node24.mjs bench/certificates.ts [DOMAINS]
 */
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import tls from 'node:tls';
import { certificateFields } from '@postern/control';
import type { TlsIdentity } from '@postern/link';
import { createIdSource, loadOrCreateKey, openStore, timestamp, type Write } from '@postern/store';
// Internal to their packages: nobody but this needs a public name of them.
import { selfSigned } from '../packages/edge/src/testing/certificate.ts';

import { StoredCertificates } from '../packages/server/src/certificates/stored-certificates.ts';
import { Platform, splitAddress } from '../test/support/platform.ts';
import { cpuSeconds } from './children.ts';

const DOMAINS = Number(process.argv[2] ?? 10_000);
const STARTS = 3;
const ROUNDS = 7;
const HANDSHAKES = 300;
const AT_ONCE = 4;
/** Names that visitors come for again and again; the rest is what somebody comes for once. */
const BUSY = 200;
const DAY = 86_400_000;
const SETTLE_MS = 6_000;
/** Collected all the time, so that what is resident is what is kept. */
const COLLECT = '--expose-gc --import=data:text/javascript,setInterval(gc,1000).unref()';
const ARGS = [
  '--base-domain=tun.example.com',
  '--acme-email=me@example.com',
  '--acme-agree-terms',
  // Nobody: what is there is not due.
  '--acme-directory=https://127.0.0.1:9/dir',
  '--acme-resolver=127.0.0.1',
  '--local-certificates=none',
  '--log-level=error',
  // What a busy machine lets wait is measured all the same.
  '--arrival-timeout=0',
];

interface Server {
  readonly label: string;
  readonly dataDir: string;
  readonly count: number;
}

const nameOf = (n: number): string => `shop-${n}.customer-${n % 997}.example.test`;
const identities: TlsIdentity[] = [];
const issuer = selfSigned('authority.example.test').cert;

function identity(n: number): TlsIdentity {
  const made = (identities[n] ??= selfSigned(nameOf(n)));
  return { cert: made.cert + issuer, key: made.key };
}

/** A data folder with domains, of which the first `certified` have a certificate. */
async function prepare(label: string, count: number, certified: number): Promise<Server> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'postern-bench-'));
  const ids = createIdSource({ now: Date.now });
  const store = await openStore({
    directory: dataDir,
    encryptionKey: await loadOrCreateKey(dataDir),
    now: Date.now,
    ids,
  });
  const accountId = (await store.accounts())[0]?.id ?? '';
  const createdAt = timestamp(Date.now());
  const head = { accountId, createdAt, description: '', metadata: '' };
  let writes: Write[] = [];
  for (let n = 0; n < count; n++) {
    const domainId = ids.next('rd');
    writes.push(
      store.reservedDomains.insert({
        ...head,
        id: domainId,
        domain: nameOf(n),
        automatic: false,
        region: '',
        certificateId: '',
        authority: n < certified ? 'letsencrypt' : 'none',
        privateKeyType: '',
      }),
    );
    if (n < certified) {
      const { cert, key } = identity(n);
      const certificateId = ids.next('cert');
      writes.push(
        store.tlsCertificates.insert({
          ...head,
          id: certificateId,
          certificatePem: cert,
          privateKeyPem: key,
          issuedAt: createdAt,
          ...certificateFields(new X509Certificate(cert), key),
        }),
        store.managedCertificates.insert({
          id: ids.next('mcert'),
          accountId,
          createdAt,
          names: [nameOf(n)],
          domainId,
          keyType: 'ecdsa',
          certificateId,
          directory: 'https://127.0.0.1:9/dir',
          challenge: '',
          renewsAt: timestamp(Date.now() + 30 * DAY),
          attempts: 0,
          retriesAt: '',
          errorCode: '',
          message: '',
          startedAt: '',
          holder: '',
          heldUntil: '',
        }),
      );
    }
    if (writes.length < 1_000) continue;
    // oxlint-disable-next-line no-await-in-loop -- some at a time
    await store.commit(writes);
    writes = [];
  }
  await store.commit(writes);
  await store.close();
  return { label, dataDir, count };
}

const start = (server: Server, env: Record<string, string> = {}): Promise<Platform> =>
  Platform.start({ dataDir: server.dataDir, args: ARGS, env });

async function resident(server: Server): Promise<number> {
  const platform = await start(server, { NODE_OPTIONS: COLLECT });
  await wait(SETTLE_MS);
  const text = await (await fetch(`${platform.runtime.metrics_url}/metrics`)).text();
  await platform.dispose();
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
}

/** CPU of the server for one full handshake, in microseconds. @param names how many are visited in turn, from the first on */
async function handshake(platform: Platform, names: number, from: number): Promise<number> {
  const [host, port] = splitAddress(platform.runtime.https_addr);
  const measured = { label: '', pids: [platform.runtime.pid] };
  const before = cpuSeconds(measured);
  let next = from;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let n = next++; n < from + HANDSHAKES; n = next++) {
        const servername = nameOf(n % names);
        // oxlint-disable-next-line no-await-in-loop -- each visitor comes after the last
        await new Promise<void>((resolve, reject) => {
          const socket = tls.connect({ host, port, servername, rejectUnauthorized: false }, () => socket.destroy());
          socket.on('error', reject).on('close', () => resolve());
        });
      }
    }),
  );
  return ((cpuSeconds(measured) - before) / HANDSHAKES) * 1e6;
}

/** Names among which one is looked up a million times: nanoseconds of each, and bytes that it leaves behind. */
async function lookUp(names: number): Promise<string> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'postern-bench-'));
  const store = await openStore({ directory: dataDir, encryptionKey: await loadOrCreateKey(dataDir) });
  const stored = new StoredCertificates(store);
  for (let n = 0; n < names; n++) {
    const managed = { id: `mcert_${n}`, domainId: `rd_${n}`, names: [nameOf(n)], keyType: 'ecdsa' } as const;
    stored.placeManaged(managed, identity(n % BUSY));
  }
  const asked = Array.from({ length: names }, (_none, n) => nameOf((n * 7_919) % names));
  const rounds = Math.ceil(1e6 / names);
  globalThis.gc?.();
  const heap = process.memoryUsage().heapUsed;
  const began = process.cpuUsage();
  let found = 0;
  for (let round = 0; round < rounds; round++) for (const name of asked) if (stored.find(name) !== null) found += 1;
  const { user } = process.cpuUsage(began);
  globalThis.gc?.();
  const left = process.memoryUsage().heapUsed - heap;
  await store.close();
  await rm(dataDir, { recursive: true });
  return `${((user * 1_000) / found).toFixed(0)} ns of CPU, ${(left / found).toFixed(2)} bytes kept`;
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
/* oxlint-disable no-await-in-loop -- one after the other is what is measured */

const none = await prepare('no certificates', DOMAINS, 0);
const all = await prepare('a certificate each', DOMAINS, DOMAINS);
const one = await prepare('one certificate', 1, 1);
const servers = [none, all, one];
try {
  const times = new Map(servers.map((server) => [server, { wall: [] as number[], cpu: [] as number[] }]));
  for (let round = 0; round < STARTS; round++) {
    for (const server of servers) {
      const began = performance.now();
      const platform = await start(server);
      const of = times.get(server);
      of?.wall.push(performance.now() - began);
      of?.cpu.push(cpuSeconds({ label: '', pids: [platform.runtime.pid] }) * 1_000);
      await platform.dispose();
    }
  }
  for (const [{ label, count }, { wall, cpu }] of times) {
    say(`start, ${count} domains, ${label}: ${Math.round(median(wall))} ms, ${Math.round(median(cpu))} ms of CPU`);
  }
  const kib: number[] = [];
  for (let round = 0; round < STARTS; round++) {
    kib.push(((await resident(all)) - (await resident(none))) / DOMAINS / 1024);
  }
  say(`memory of an idle certificate: ${median(kib).toFixed(1)} KiB`);

  const [many, single] = [await start(all), await start(one)];
  const kinds: readonly [label: string, platform: Platform, names: number][] = [
    ['one certificate', single, 1],
    [`${BUSY} of ${DOMAINS} names again and again`, many, BUSY],
    [`all of ${DOMAINS} names in turn`, many, DOMAINS],
  ];
  const costs = kinds.map((): number[] => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, [, platform, names]] of kinds.entries()) {
      const cost = await handshake(platform, names, round * HANDSHAKES);
      // The first round is for the compilers and what is kept.
      if (round > 0) costs[index]?.push(cost);
    }
  }
  const base = median(costs[0] ?? []);
  for (const [index, [label]] of kinds.entries()) {
    const cost = median(costs[index] ?? []);
    say(`handshake, ${label}: ${Math.round(cost)} us of CPU, ratio ${(cost / base).toFixed(3)}`);
  }
  await many.dispose();
  await single.dispose();
  say(`look-up, one of ${DOMAINS * 10} names: ${await lookUp(DOMAINS * 10)}`);
} finally {
  for (const { dataDir } of servers) await rm(dataDir, { recursive: true, force: true });
}
/* oxlint-enable no-await-in-loop */
