import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findServer } from './find-server.ts';
import { UsageError } from './usage-error.ts';

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'postern-find-')));
  for (const name of ['XDG_CONFIG_HOME', 'APPDATA', 'HOME']) vi.stubEnv(name, path.join(folder, 'config'));
  vi.stubEnv('POSTERN_DATA_DIR', '');
  vi.spyOn(process, 'cwd').mockReturnValue(path.join(folder, 'project'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

/** What a running server leaves in its data folder. */
async function serverIn(directory: string, name: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  const file = (base: string): string => path.join(directory, base);
  await writeFile(file('authtoken'), `token of ${name}\n`);
  await writeFile(file('ca.pem'), `ca of ${name}`);
  const runtime = {
    pid: process.pid,
    version: '1',
    base_domains: ['postern.localhost'],
    agent_addr: `${name}:4443`,
    authtoken_path: file('authtoken'),
    ca_path: file('ca.pem'),
    ...Object.fromEntries(
      ['api_url', 'http_addr', 'https_addr', 'tcp_ports', 'metrics_url', 'api_key_path'].map((key) => [key, '']),
    ),
  };
  await writeFile(file('runtime.json'), JSON.stringify(runtime));
  return file('runtime.json');
}
async function pointTo(...files: string[]): Promise<void> {
  const pointer = path.join(folder, 'config', 'postern', 'local-servers.json');
  await mkdir(path.dirname(pointer), { recursive: true });
  await writeFile(pointer, JSON.stringify({ runtimes: files }));
}
const place = (name: string) => ({
  addresses: [`${name}:4443`],
  serverName: 'localhost',
  authtoken: `token of ${name}`,
  ca: `ca of ${name}`,
});

test('the folder that is named, else the one here, else the newest of the user', async () => {
  await expect(findServer({})).rejects.toThrow(/No server was found.*postern server/);
  await pointTo(path.join(folder, 'gone', 'runtime.json'), await serverIn(path.join(folder, 'far'), 'newest'));
  expect(await findServer({})).toEqual(place('newest'));
  await serverIn(path.join(folder, 'project', '.postern'), 'here');
  expect(await findServer({})).toEqual(place('here'));
  await serverIn(path.join(folder, 'named'), 'named');
  vi.stubEnv('POSTERN_DATA_DIR', path.join(folder, 'named'));
  expect(await findServer({})).toEqual(place('named'));
});

test('flags win one by one', async () => {
  await serverIn(path.join(folder, 'project', '.postern'), 'here');
  expect(await findServer({ authtoken: 'mine' })).toEqual({ ...place('here'), authtoken: 'mine' });
  const ca = path.join(folder, 'other.pem');
  await writeFile(ca, 'other ca');
  expect(await findServer({ connectUrls: ['far:443'], authtoken: 'mine', connectCas: ca })).toEqual({
    addresses: ['far:443'],
    authtoken: 'mine',
    ca: 'other ca',
  });
  expect(await findServer({ connectUrls: ['far:443'], authtoken: 'mine', connectCas: 'host' })).toEqual({
    addresses: ['far:443'],
    authtoken: 'mine',
  });
});

test('the local credentials are not sent to another server', async () => {
  await serverIn(path.join(folder, 'project', '.postern'), 'here');
  await expect(findServer({ connectUrls: ['far:443'] })).rejects.toThrow('An authtoken is needed');
  const missing = findServer({ connectUrls: ['far:443'], authtoken: 't', connectCas: '/absent.pem' });
  await expect(missing).rejects.toThrow('/absent.pem cannot be read');
  await expect(missing).rejects.toBeInstanceOf(UsageError);
});

describe('a token goes only where it belongs', () => {
  const env = { NGROK_AUTHTOKEN: 'of the environment' };
  const stored = { authtoken: 'of the file', connect_url: 'far:443', connect_cas: 'host' };
  const heard: string[] = [];
  const say = (words: string): void => void heard.push(words);
  beforeEach(() => heard.splice(0));

  test('one of the environment or a file is not offered to a server that was merely found', async () => {
    await serverIn(path.join(folder, 'project', '.postern'), 'here');
    expect(await findServer({}, { env, say })).toEqual(place('here'));
    expect(heard.join('\n')).toContain('the authtoken of the environment is not sent');
    expect(await findServer({}, { env: {}, settings: { authtoken: 'of the file' }, say })).toEqual(place('here'));
    expect(heard.join('\n')).toContain('the authtoken of the configuration is not sent');
    expect((await findServer({ authtoken: 'typed' }, { env })).authtoken).toBe('typed');
  });

  test('one of a file goes to the server of the file, however that is written, and to no other', async () => {
    expect(await findServer({}, { env: {}, settings: stored, say })).toEqual({
      addresses: ['far:443'],
      authtoken: 'of the file',
    });
    expect((await findServer({ connectUrls: ['FAR'] }, { env: {}, settings: stored })).authtoken).toBe('of the file');
    await expect(findServer({ connectUrls: ['far:444'] }, { env: {}, settings: stored, say })).rejects.toThrow(
      'An authtoken is needed',
    );
    expect(heard.join('\n')).toContain('not sent to far:444');
  });

  test('one of the environment goes to a server that was named, unless that has one stored', async () => {
    expect((await findServer({ connectUrls: ['far:444'] }, { env, settings: stored })).authtoken).toBe(
      'of the environment',
    );
    expect((await findServer({}, { env: { ...env, POSTERN_CONNECT_URL: 'other:1' } })).authtoken).toBe(
      'of the environment',
    );
    expect((await findServer({}, { env, settings: { connect_url: 'far:443' } })).authtoken).toBe('of the environment');
    expect((await findServer({}, { env, settings: stored })).authtoken).toBe('of the file');
    expect((await findServer({}, { env: { ...env, POSTERN_AUTHTOKEN: 'ours' }, settings: stored })).authtoken).toBe(
      'ours',
    );
  });

  test('of several addresses all have to be those of the file', async () => {
    const settings = { ...stored, connect_urls: ['near:443', 'far:443'] };
    const found = await findServer({}, { env: {}, settings });
    expect(found).toEqual({ addresses: ['far:443', 'near:443'], authtoken: 'of the file' });
    expect((await findServer({ connectUrls: ['near'] }, { env: {}, settings })).authtoken).toBe('of the file');
    const mixed = findServer({}, { env: { POSTERN_CONNECT_URL: 'near:443, other:443' }, settings, say });
    await expect(mixed).rejects.toThrow('An authtoken is needed');
    expect(heard.join('\n')).toContain('not sent to other:443, which');
  });

  test('the authority of a file is for its server alone', async () => {
    const ca = path.join(folder, 'stored.pem');
    await writeFile(ca, 'stored ca');
    const settings = { ...stored, connect_cas: ca };
    expect((await findServer({}, { env: {}, settings })).ca).toBe('stored ca');
    expect((await findServer({ connectUrls: ['far:444'], authtoken: 't' }, { env: {}, settings })).ca).toBeUndefined();
  });
});
