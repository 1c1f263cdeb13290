import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { forgetRuntime, newestRuntime, publishRuntime, readRuntime, type RuntimeInfo } from './runtime-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-runtime-'));
  // Where the per-user pointer is, on each system.
  for (const name of ['XDG_CONFIG_HOME', 'APPDATA', 'HOME']) vi.stubEnv(name, path.join(folder, 'config'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

async function dataDir(name: string): Promise<string> {
  const directory = path.join(folder, name);
  await mkdir(directory);
  return directory;
}
function info(changes: Partial<RuntimeInfo> = {}): RuntimeInfo {
  return {
    pid: process.pid,
    version: '1.2.3',
    api_url: 'http://127.0.0.1:4400',
    http_addr: '127.0.0.1:8880',
    https_addr: '127.0.0.1:8443',
    agent_addr: '127.0.0.1:4443',
    tcp_ports: '20000-20999',
    metrics_url: 'http://127.0.0.1:4401',
    base_domains: ['postern.localhost'],
    ca_path: '/data/ca.pem',
    api_key_path: '/data/api_key',
    authtoken_path: '/data/authtoken',
    ...changes,
  };
}
/** No process has it: pids are below 2^22. */
const DEAD_PID = 2 ** 30;

describe('runtime.json', () => {
  test('is whole, private, alone in the folder, and gone after the stop', async () => {
    const directory = await dataDir('one');
    const remove = await publishRuntime(directory, info());
    expect(JSON.parse(await readFile(path.join(directory, 'runtime.json'), 'utf8'))).toEqual(info());
    expect((await stat(path.join(directory, 'runtime.json'))).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(['runtime.json']);
    expect(await readRuntime(directory)).toEqual(info());
    await remove();
    expect(await readdir(directory)).toEqual([]);
    expect(await readRuntime(directory)).toBeNull();
  });

  test('of a server that was killed is not believed, and can be forgotten', async () => {
    const directory = await dataDir('killed');
    await publishRuntime(directory, info({ pid: DEAD_PID }));
    expect(await readRuntime(directory)).toBeNull();
    await forgetRuntime(directory);
    expect(await readdir(directory)).toEqual([]);
  });

  test.each(['', '{', 'null', '[]', '{"pid":1}', JSON.stringify({ ...info(), agent_addr: 7 })])(
    'that says %s is no runtime',
    async (text) => {
      const directory = await dataDir('odd');
      await writeFile(path.join(directory, 'runtime.json'), text);
      expect(await readRuntime(directory)).toBeNull();
    },
  );
});

describe('the pointer of the user', () => {
  test('leads to the newest server that runs; when it stops, to the one before', async () => {
    expect(await newestRuntime()).toBeNull();
    const first = info({ version: 'first' });
    const second = info({ version: 'second' });
    const removeFirst = await publishRuntime(await dataDir('first'), first);
    const removeSecond = await publishRuntime(await dataDir('second'), second);
    expect(await newestRuntime()).toEqual(second);
    await removeSecond();
    expect(await newestRuntime()).toEqual(first);
    await publishRuntime(await dataDir('killed'), info({ pid: DEAD_PID }));
    expect(await newestRuntime()).toEqual(first);
    await removeFirst();
    expect(await newestRuntime()).toBeNull();
  });

  test('that cannot be written does not stop a server', async () => {
    await writeFile(path.join(folder, 'config'), 'a file where a folder should be');
    const directory = await dataDir('one');
    const remove = await publishRuntime(directory, info());
    expect(await readRuntime(directory)).toEqual(info());
    expect(await newestRuntime()).toBeNull();
    await remove();
  });
});
