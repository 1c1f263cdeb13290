import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { SlicedWork } from './slices.ts';

const asker = (endpoint: string, address = '192.0.2.1'): { endpoint: string; address: string } => ({
  endpoint,
  address,
});

/** Work of some slices, which writes its name for each of them. */
function slices(name: string, count: number, log: string[]): () => boolean {
  let left = count;
  return () => {
    log.push(name);
    return --left === 0;
  };
}

const NEVER = new AbortController().signal;

test('endpoints take turns, and addresses within them', async () => {
  const work = new SlicedWork();
  const log: string[] = [];
  const all = [
    work.run(asker('a'), slices('a1', 3, log), NEVER),
    work.run(asker('a'), slices('a1x', 1, log), NEVER),
    work.run(asker('a', '192.0.2.2'), slices('a2', 2, log), NEVER),
    work.run(asker('b'), slices('b1', 2, log), NEVER),
  ];
  expect(log).toEqual([]);
  expect(await Promise.all(all)).toEqual(['done', 'done', 'done', 'done']);
  expect(log).toEqual(['a1', 'b1', 'a2', 'b1', 'a1x', 'a2', 'a1', 'a1']);
});

test('everybody else has a turn between two slices', async () => {
  const log: string[] = [];
  const done = new SlicedWork().run(asker('a'), slices('slice', 3, log), NEVER);
  for (let at = 0; at < 3; at++) {
    await turn();
    log.push('other');
  }
  await done;
  expect(log.join(' ')).toMatch(/^(?:other )?slice other slice other slice/);
});

test('who has left gets no further slice, and what throws rejects', async () => {
  const work = new SlicedWork();
  const leaving = new AbortController();
  let count = 0;
  const left = work.run(asker('a'), () => (leaving.abort(), ++count, false), leaving.signal);
  const broken = work.run(
    asker('b'),
    () => {
      throw new Error('no');
    },
    NEVER,
  );
  await expect(broken).rejects.toThrow('no');
  expect(await left).toBe('over');
  expect(count).toBe(1);
});

test('one endpoint, and one address, has a part of the places', async () => {
  const work = new SlicedWork();
  const over = new AbortController();
  const ask = (endpoint: string, address: string): Promise<string> =>
    work.run(asker(endpoint, address), () => false, over.signal);
  const results: Promise<string>[] = [];
  for (let at = 0; at < 33; at++) results.push(ask('a', '192.0.2.1'));
  expect(await results[32]).toBe('busy');
  for (let at = 0; at < 33; at++) results.push(ask('a', `192.0.2.${at + 2}`));
  expect(await results[65]).toBe('busy');
  const other = ask('b', '192.0.2.1');
  over.abort();
  expect(await other).toBe('over');
  expect((await Promise.all(results)).filter((result) => result === 'busy')).toHaveLength(2);
});
