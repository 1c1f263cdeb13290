import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { storePaths } from '../paths.ts';
import type { StoreHealth } from '../types.ts';
import { StoreClient } from './client.ts';
import type { WorkerInput } from './messages.ts';

const INPUT: WorkerInput = {
  paths: storePaths('/nowhere'),
  encryptionKey: new Uint8Array(32),
  firstAccount: { id: 'ac_1', name: '', ownerUserId: 'usr_1', createdAt: '' },
  keepChanges: 1,
  maxPages: null,
  faults: null,
};

/** A client of a worker that runs `body`, with `port` its side of the wire; it has said that it is open. */
async function clientOf(
  body: string,
  deadlineMs = 50,
  input = INPUT,
): Promise<{ client: StoreClient; seen: StoreHealth[] }> {
  const source = `import { parentPort as port, workerData } from 'node:worker_threads'; port.postMessage({ report: 'opened' }); ${body}`;
  const seen: StoreHealth[] = [];
  const client = await StoreClient.start(input, {
    onHealth: (health) => seen.push(health),
    workerUrl: new URL(`data:text/javascript,${encodeURIComponent(source)}`),
    deadlineMs,
  });
  onTestFinished(() => client.close().catch(() => {}));
  return { client, seen };
}

describe('a database thread', () => {
  test('that is silent fails what was asked, says so, and is well again with its next word', async () => {
    // It says nothing before it is told to: what it says after a time, a busy machine hears before the deadline.
    const told = new SharedArrayBuffer(4);
    const { client, seen } = await clientOf(
      `port.on('message', ({ id }) => {
        Atomics.wait(new Int32Array(workerData.faults), 0, 0);
        port.postMessage({ report: 'answer', id, value: 7 });
      });`,
      50,
      { ...INPUT, faults: told },
    );
    await expect(client.ask('commit', { writes: [], guards: null })).rejects.toMatchObject({
      name: 'StoreUnavailable',
      applied: 'unknown',
      message: 'the database did not answer within 0.05 s',
    });
    expect(client.health.writable).toBe(false);
    Atomics.store(new Int32Array(told), 0, 1);
    Atomics.notify(new Int32Array(told), 0);
    await vi.waitFor(() => expect(client.health).toEqual({ writable: true, lastError: '' }), { timeout: 50_000 });
    expect(seen.map(({ writable }) => writable)).toEqual([false, true]);
  });

  test.each([
    ['ends', 'process.exit(1)', 'the database is closed'],
    ['breaks', `throw new Error('out of cheese')`, 'the database thread failed: out of cheese'],
  ])('that %s fails what was asked and whatever is asked after', async (_, act, message) => {
    const { client, seen } = await clientOf(`port.on('message', () => { ${act} });`, 10_000);
    await expect(client.ask('commit', { writes: [], guards: null })).rejects.toMatchObject({
      applied: 'unknown',
      message,
    });
    await expect(client.ask('revision', null)).rejects.toMatchObject({ name: 'StoreUnavailable', message });
    expect(seen).toEqual([{ writable: false, lastError: message }]);
    await client.close();
  });

  test('that falls behind is asked no more than it can keep', async () => {
    const { client } = await clientOf(`port.on('message', () => {});`, 10_000);
    const waiting = Array.from({ length: 10_000 }, () => client.ask('revision', null).catch(() => {}));
    await expect(client.ask('revision', null)).rejects.toThrow(/too many requests wait/);
    expect(waiting).toHaveLength(10_000);
  });
});
