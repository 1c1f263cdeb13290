import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RouteEndpoint } from '@postern/link';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentNames } from './agent-names.ts';

const RETURN_MS = 60_000;
let directory: string;
let now = 1_000_000;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'postern-names-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function route(id: string, host: string, kind: RouteEndpoint['kind'] = 'agent'): RouteEndpoint {
  return {
    id,
    kind,
    host,
    accountId: 'ac_1',
    proto: 'https',
    binding: 'public',
    port: 443,
    url: `https://${host}`,
    publicUrl: `https://${host}`,
    pooling: false,
    policy: '',
    tls: { at: 'edge', cert: null, key: null },
    upstreams: [],
    routes: [],
  };
}
const names = (): AgentNames => new AgentNames(directory, RETURN_MS, () => now);
const hosts = (of: AgentNames): readonly string[] => of.expected.map(({ host }) => host);

test('what agents serve when a server ends is expected by the next one, for a while', () => {
  const before = names();
  before.routed({ upserts: [route('1', 'a.test'), route('2', 'b.test'), route('3', 'c.test', 'cloud')], removes: [] });
  before.routed({ upserts: [], removes: ['2'] });
  before.keep();
  expect(hosts(before)).toEqual([]);

  const after = names();
  expect(hosts(after)).toEqual(['a.test']);
  now += RETURN_MS;
  expect(hosts(after)).toEqual([]);
});

test('who has come back, or has found somebody in his place, is expected no more', () => {
  const before = names();
  before.routed({ upserts: [route('1', 'a.test'), route('2', 'b.test'), route('3', 'c.test')], removes: [] });
  before.keep();
  const after = names();
  after.routed({ upserts: [route('9', 'a.test'), route('10', 'b.test', 'cloud')], removes: [] });
  expect(hosts(after)).toEqual(['c.test']);
  // One that never came keeps its own end over another restart.
  now += RETURN_MS / 2;
  after.keep();
  const third = names();
  expect(hosts(third).toSorted()).toEqual(['a.test', 'c.test']);
  now += RETURN_MS / 2;
  expect(hosts(third)).toEqual(['a.test']);
});

test('what agents that leave after the stop has begun do is not written', async () => {
  const one = names();
  one.routed({ upserts: [route('1', 'a.test')], removes: [] });
  one.keep();
  const written = await readFile(path.join(directory, 'agents.json'), 'utf8');
  one.routed({ upserts: [], removes: ['1'] });
  one.keep();
  expect(await readFile(path.join(directory, 'agents.json'), 'utf8')).toBe(written);
});

test('a file that is none of ours is no error', async () => {
  await writeFile(path.join(directory, 'agents.json'), '{"online":[{"proto":"gopher"}],"expected":7}');
  expect(hosts(names())).toEqual([]);
});
