import { describe, expect, test, vi } from 'vitest';
import { domainRow } from '../contract/rows.ts';
import { openTestStore, temporaryDirectory } from '../testing/directory.ts';
import { expectLogToMatchRows } from '../testing/replay.ts';
import { StoreUnavailable, type Store, type StoreHealth } from '../types.ts';
import { StoreFaults, type Fault } from './faults.ts';

const FAULTS: readonly Fault[] = [
  { at: 'write', code: 'ENOSPC' },
  { at: 'write', code: 'EIO' },
  { at: 'fsync', code: 'ENOSPC' },
  { at: 'fsync', code: 'EIO' },
];

describe('a disk that fails', () => {
  test.each(FAULTS)('at $at with $code fails every commit of the group, and none of them is there', async (fault) => {
    const faults = new StoreFaults();
    const seen: StoreHealth[] = [];
    const store = await openTestStore(temporaryDirectory(), { faults, onHealth: (health) => seen.push(health) });
    await reserve(store, 1);
    faults.failUntilCleared(fault);
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => reserve(store, 100 + n)));
    for (const result of results) {
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'StoreUnavailable', applied: 'no' } });
    }
    expect(store.health).toEqual({ writable: false, lastError: messageOf(fault) });
    expect(await store.all('reservedDomains')).toEqual([domainRow('rd_1', 'd1.example')]);
    expect(await store.revision()).toBe(1);

    faults.clear();
    // Nobody writes: the store itself finds out that it can again.
    await vi.waitFor(() => expect(store.health).toEqual({ writable: true, lastError: '' }), { timeout: 50_000 });
    expect(seen.map(({ writable }) => writable)).toEqual(expect.arrayContaining([false, true]));
    await reserve(store, 2);
    expect(await store.revision()).toBe(2);
    await expectLogToMatchRows(store);
  });

  test('is healthy again with the first commit that succeeds', async () => {
    const faults = new StoreFaults();
    const store = await openTestStore(temporaryDirectory(), { faults });
    faults.failNext(1, { at: 'fsync', code: 'EIO' });
    await expect(reserve(store, 1)).rejects.toThrow(StoreUnavailable);
    await reserve(store, 1);
    expect(store.health.writable).toBe(true);
  });

  test('what failed is not there after reopening either', async () => {
    const directory = temporaryDirectory();
    const faults = new StoreFaults();
    const store = await openTestStore(directory, { faults });
    faults.failNext(1, { at: 'fsync', code: 'EIO' });
    await expect(reserve(store, 1)).rejects.toThrow(StoreUnavailable);
    await reserve(store, 2);
    await store.close();
    const reopened = await openTestStore(directory);
    expect((await reopened.all('reservedDomains')).map(({ id }) => id)).toEqual(['rd_2']);
  });

  test('a database that may not grow refuses writes, keeps what it has, and goes on when there is room', async () => {
    const directory = temporaryDirectory();
    const store = await openTestStore(directory, { maxPages: 160 });
    const big = 'x'.repeat(20_000);
    let written = 0;
    const fill = async (): Promise<void> => {
      for (; written < 100; written++) {
        await store.commit([store.endpoints.insert(endpointRow(written, big))]);
      }
    };
    await expect(fill()).rejects.toThrow(/database or disk is full/);
    expect(written).toBeGreaterThan(2);
    expect(store.health.writable).toBe(false);
    expect(await store.all('endpoints')).toHaveLength(written);
    await store.close();
    const roomy = await openTestStore(directory);
    expect(await roomy.all('endpoints')).toHaveLength(written);
    await roomy.commit([roomy.endpoints.insert(endpointRow(written, big))]);
  });
});

describe('the change log', () => {
  test('forgets the oldest in strides, and tells a follower who needs them', async () => {
    const directory = temporaryDirectory();
    const store = await openTestStore(directory, { keepChanges: 10 });
    for (let n = 1; n <= 45; n++) await reserve(store, n);
    await expect(store.changesSince(0)).rejects.toMatchObject({ name: 'ChangesForgotten' });
    const changes = await store.changesSince(35);
    expect(changes.map(({ revision }) => revision)).toEqual([36, 37, 38, 39, 40, 41, 42, 43, 44, 45]);
    await store.close();
    const reopened = await openTestStore(directory, { keepChanges: 10 });
    await expect(reopened.changesSince(0)).rejects.toMatchObject({ name: 'ChangesForgotten' });
    expect(await reopened.revision()).toBe(45);
  });
});

function reserve(store: Store, n: number): Promise<unknown> {
  return store.commit([store.reservedDomains.insert(domainRow(`rd_${n}`, `d${n}.example`))]);
}

function messageOf(fault: Fault): string {
  return fault.code === 'ENOSPC' ? 'database or disk is full' : 'disk I/O error';
}

function endpointRow(n: number, trafficPolicy: string): Parameters<Store['endpoints']['insert']>[0] {
  return {
    id: `ep_${String(n).padStart(3, '0')}`,
    accountId: 'ac_1',
    createdAt: '2026-11-24T23:15:57Z',
    updatedAt: '2026-11-24T23:15:57Z',
    url: `https://h${n}.example`,
    scheme: 'https',
    host: `h${n}.example`,
    port: 443,
    binding: 'public',
    poolingEnabled: false,
    trafficPolicy,
    description: '',
    metadata: '',
    domainId: '',
    tcpAddrId: '',
    principalId: 'usr_1',
  };
}
