import { once } from 'node:events';
import { connect, createServer, type ServerHttp2Session } from 'node:http2';
import { expect, test } from 'vitest';
import { keepStreamsPassing, PassingMap, PassingSet } from './passing.ts';

/** The same choices in every run. */
function* choices(count: number): Generator<number> {
  let state = 7;
  for (let at = 0; at < count; at++) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    yield state >> 8;
  }
}

test('what comes and goes is kept as in a map and a set', () => {
  const map = new PassingMap<number, number>();
  const set = new PassingSet<number>();
  const sameMap = new Map<number, number>();
  const sameSet = new Set<number>();
  for (const choice of choices(5_000)) {
    const key = choice % 12;
    if (choice % 5 < 2) {
      expect(map.delete(key)).toBe(sameMap.delete(key));
      expect(set.delete(key)).toBe(sameSet.delete(key));
    } else {
      map.set(key, choice);
      sameMap.set(key, choice);
      set.add(key);
      sameSet.add(key);
    }
    expect([map.size, map.get(key), map.has(key)]).toEqual([sameMap.size, sameMap.get(key), sameMap.has(key)]);
    expect([set.size, set.has(key)]).toEqual([sameSet.size, sameSet.has(key)]);
  }
  expect(map.size).toBeGreaterThan(0);
  expect(new Map(map)).toEqual(sameMap);
  expect(new Set(map.keys())).toEqual(new Set(sameMap.keys()));
  expect(new Set(map.values())).toEqual(new Set(sameMap.values()));
  expect(new Set(set)).toEqual(sameSet);
  map.clear();
  set.clear();
  expect([...map, ...set]).toEqual([]);
});

test('who goes while all are visited is not visited, and nobody twice', () => {
  const set = new PassingSet<number>().add(1).add(2).add(3).add(4);
  const seen: number[] = [];
  for (const member of set) {
    seen.push(member);
    set.delete(member);
    if (member === 2) set.delete(3);
  }
  expect(seen).toEqual([1, 2, 4]);
  expect(set.size).toBe(0);
});

test('sessions of this runtime keep their streams so, and end them with themselves', async () => {
  const server = createServer();
  server.listen(0);
  const kept: boolean[] = [];
  const sessions: ServerHttp2Session[] = [];
  server.on('session', (session) => {
    kept.push(keepStreamsPassing(session));
    sessions.push(session);
  });
  const waiting: unknown[] = [];
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    if (headers[':path'] === '/wait') waiting.push(stream);
    else stream.respond({ ':status': 200 }, { endStream: true });
  });
  const address = server.address();
  const client = connect(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`);
  client.on('error', () => {});
  kept.push(keepStreamsPassing(client));
  for (let at = 0; at < 40; at++) {
    const stream = client.request({ ':path': '/' }).resume();
    // One behind the other, as they pass.
    // oxlint-disable-next-line no-await-in-loop
    await once(stream, 'close');
  }
  const cut = ['/wait', '/wait', '/wait'].map((path) => client.request({ ':path': path }).resume());
  for (const stream of cut) stream.on('error', () => {});
  await expect.poll(() => waiting.length).toBe(3);
  // Not `once`, which fails by the error that may come first.
  const gone = Promise.all(cut.map((stream) => new Promise((resolve) => stream.on('close', resolve))));
  sessions[0]?.destroy();
  await gone;
  expect(kept).toEqual([true, true]);
  server.close();
});
