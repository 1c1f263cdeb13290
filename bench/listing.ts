/**
 * What a list costs when there is much to list: CPU of the thread that also serves traffic, for a page, for a filter
 * that matches nothing and for a URL that nobody has, with 100 and with many endpoints in one account.
 * Usage: node scripts/node24.mjs bench/listing.ts [ENDPOINTS]
 */
import process from 'node:process';
import { createApi } from '@postern/api';
import type { Write } from '@postern/store';
import { openPlatformless, QUIET } from './parts/control-alone.ts';

const FEW = 100;
const MANY = Number(process.argv[2] ?? 100_000);
const ROUNDS = 51;

const QUESTIONS: readonly (readonly [string, string])[] = [
  ['a page of 100', '/endpoints?limit=100'],
  ['a filter that matches nothing', `/endpoints?filter=${encodeURIComponent('obj.url == "https://nobody.test"')}`],
  ['a URL that nobody has', '/endpoints?url=https://nobody.test'],
];

/** Median milliseconds of CPU for each question. */
async function measure(count: number): Promise<number[]> {
  const platform = await openPlatformless(async (store, accountId, newId) => {
    const rows = Array.from({ length: count }, (_none, index): Write => {
      const host = `h${index}.example.test`;
      return store.endpoints.insert({
        id: newId(),
        accountId,
        createdAt: '2026-01-01T00:00:00Z',
        updatedAt: '2026-01-01T00:00:00Z',
        url: `https://${host}`,
        scheme: 'https',
        host,
        port: 443,
        binding: 'public',
        poolingEnabled: false,
        trafficPolicy: '{"on_http_request":[]}',
        description: '',
        metadata: '',
        domainId: '',
        tcpAddrId: '',
        principalId: '',
      });
    });
    while (rows.length > 0) await store.commit(rows.splice(0, 1_000));
  });
  const api = await createApi({
    control: platform.control.api,
    publicBaseUrl: () => 'http://127.0.0.1',
    version: '0',
    clock: { now: Date.now },
    operationId: () => 'op_0',
    rateLimit: { perMinute: 1e9 },
    log: QUIET,
  });
  const headers = { authorization: `Bearer ${platform.apiKey}`, 'ngrok-version': '2' };
  const medians: number[] = [];
  for (const [, url] of QUESTIONS) {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const before = process.threadCpuUsage();
      await api.app.inject({ method: 'GET', url, headers });
      const { user, system } = process.threadCpuUsage(before);
      times.push((user + system) / 1_000);
    }
    medians.push(times.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? 0);
  }
  await api.close();
  await platform.close();
  return medians;
}

const few = await measure(FEW);
const many = await measure(MANY);
process.stdout.write(`CPU milliseconds per call, median of ${ROUNDS}: ${FEW} endpoints, ${MANY} endpoints, ratio\n`);
for (const [index, [name]] of QUESTIONS.entries()) {
  const [a = 0, b = 0] = [few[index], many[index]];
  process.stdout.write(`${name.padEnd(32)} ${a.toFixed(2)} ${b.toFixed(2)} ${(b / a).toFixed(1)}\n`);
}
