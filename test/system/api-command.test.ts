/** `postern api` against a running server, as people and wrappers call it. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postern, type CommandResult } from '../support/cli.ts';
import { Platform } from '../support/platform.ts';

let platform: Platform;
beforeAll(async () => {
  platform = await Platform.start();
});
afterAll(() => platform?.dispose());

const api = (line: string, env: NodeJS.ProcessEnv = {}): Promise<CommandResult> =>
  postern(['api', ...line.split(' ')], { HOME: platform.dataDir, XDG_CONFIG_HOME: platform.dataDir, ...env });
type Row = Record<string, unknown>;
const json = ({ stdout }: CommandResult): Row => JSON.parse(stdout.slice(stdout.indexOf('{'))) as Row;

test('endpoints: create with a policy from a file, list, get, update, delete', async () => {
  const policy = (body: string): string =>
    `on_http_request:\n  - actions:\n      - type: custom-response\n        config: { status_code: 200, body: ${body} }\n`;
  const file = path.join(platform.dataDir, 'front.yml');
  await writeFile(file, policy('first'));
  const made = await api(
    `endpoints create --url https://front.test --type cloud --traffic-policy-file ${file} --metadata=a`,
  );
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(made.stdout).toMatch(/^201 Created\n\n\{\n {2}"id": "ep_/);
  const { id } = json(made) as { id: string };
  expect((await platform.visit('https://front.test/')).text).toBe('first');

  const listed = json(await api('endpoints list --json')) as { endpoints: Row[] };
  expect(listed.endpoints.map((row) => row['id'])).toEqual([id]);
  expect(json(await api(`endpoints get ${id} --json`))).toMatchObject({ id, metadata: 'a' });

  await writeFile(file, policy('second'));
  const changed = await api(`endpoints update ${id} --traffic-policy-file=${file} --description changed`);
  expect(json(changed)).toMatchObject({ id, description: 'changed', metadata: 'a' });
  expect((await platform.visit('https://front.test/')).text).toBe('second');

  expect(await api(`endpoints delete ${id}`)).toEqual({ code: 0, stdout: '204 No Content\n\n', stderr: '' });
  expect(json(await api('endpoints list'))).toMatchObject({ endpoints: [] });
  const gone = await api(`endpoints get ${id}`);
  expect(gone.code).toBe(1);
  expect(gone.stderr).toBe('ERROR:  Resource not found\n');
  expect(json(gone)).toMatchObject({ status_code: 404 });
  const refused = await api('endpoints create --url nonsense://a.test --type cloud');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/^ERROR: {2}.+\nERROR:\nERROR: {2}ERR_NGROK_\d+\n$/);
});

test('lists are followed over all their pages, as far as --limit says', async () => {
  for (let at = 0; at < 105; at += 1) await platform.api('POST', '/vaults', { name: `vault-${at}` });
  const all = json(await api('vaults list')) as { vaults: Row[]; next_page_uri: unknown };
  expect(all.vaults).toHaveLength(105);
  expect(new Set(all.vaults.map((row) => row['id'])).size).toBe(105);
  expect(all.next_page_uri).toBeNull();
  const some = json(await api('vaults list --limit 7')) as { vaults: Row[]; next_page_uri: unknown };
  expect(some.vaults).toEqual(all.vaults.slice(0, 7));
  const last = some.vaults.at(-1)?.['id'];
  const rest = json(await api(`vaults list --before-id ${String(last)} --limit 101`)) as { vaults: Row[] };
  expect(rest.vaults).toHaveLength(98);
  const filtered = json(await api('vaults list --filter obj.name=="vault-3"')) as { vaults: Row[] };
  expect(filtered.vaults.map((row) => row['name'])).toEqual(['vault-3']);
});

test('lists of texts, switches and other resources', async () => {
  const made = json(
    await api('credentials create --description mine --acl bind:a.test,bind:*.b.test --acl bind:c.test'),
  );
  expect(made).toMatchObject({ description: 'mine', acl: ['bind:a.test', 'bind:*.b.test', 'bind:c.test'] });
  const named = json(await api('reserved-domains create --domain named.test')) as { id: string };
  expect(json(await api(`reserved-domains get ${named.id}`))).toMatchObject({ domain: 'named.test' });
});

test('as wrappers call it: options first, a key of its own', async () => {
  const file = path.join(platform.dataDir, 'wrapper.yml');
  await writeFile(file, 'version: 3\nagent: { api_key: of-somebody-else }\n');
  const called = await postern(['--config', file, 'api', '--api-key', platform.apiKey, 'endpoints', 'list'], {
    HOME: platform.dataDir,
    XDG_CONFIG_HOME: platform.dataDir,
  });
  expect(called).toMatchObject({ code: 0, stderr: '' });
  expect(json(called)).toMatchObject({ endpoints: expect.any(Array) });
});

describe('keys go only where they belong', () => {
  test('to an API that they were named with or stored for', async () => {
    const url = platform.runtime.api_url;
    const ours = { POSTERN_API_URL: url, POSTERN_API_KEY: platform.apiKey };
    const lonely = { HOME: '/absent', XDG_CONFIG_HOME: '/absent' };
    expect((await api('endpoints list', { ...lonely, ...ours })).code).toBe(0);
    const file = path.join(platform.dataDir, 'stored.yml');
    await writeFile(file, `version: 3\nagent: { api_key: ${platform.apiKey}, api_url: '${url}' }\n`);
    expect((await api(`endpoints list --config ${file}`, lonely)).code).toBe(0);
    const elsewhere = await api(`endpoints list --config ${file} --api-url http://127.0.0.1:1`, lonely);
    expect(elsewhere).toMatchObject({ code: 2, stderr: expect.stringContaining('An API key is needed') });
    // Of the environment, where a server was merely found: its own key is used.
    expect((await api('endpoints list', { NGROK_API_KEY: 'of-somebody-else' })).code).toBe(0);
  });
});

test.concurrent.each([
  ['endpoint list', 'Did you mean endpoints?'],
  ['endpoints lst', 'Did you mean list?'],
  ['endpoints create --trafic-policy x', 'Did you mean --traffic-policy?'],
  ['endpoints get', 'missing required argument'],
  ['endpoints list --limit none', 'it is a number'],
  ['endpoints create --traffic-policy-file absent.yml', 'absent.yml cannot be read'],
  ['endpoints list --api-url nonsense', 'is no address of an API'],
])('postern api %s: %s', async (line, words) => {
  const { code, stdout, stderr } = await api(line);
  expect(stderr).toContain(words);
  expect(stdout).toBe('');
  expect(code).toBe(2);
});

test('help names every resource of the server', async () => {
  const { code, stdout } = await api('--help');
  expect(code).toBe(0);
  for (const name of ['endpoints', 'tunnel-sessions', 'ip-policy-rules', 'secrets', 'edges-https-routes'])
    expect(stdout).toContain(`  ${name} `);
});
