/** `postern policy explain` and `postern policy test`, as people and CI systems run them. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { postern } from '../support/cli.ts';
import { repositoryRoot } from '../support/platform.ts';
import { until } from '../support/until.ts';

let folder: string;
const at = (name: string): string => path.join(folder, name);

const POLICY = `on_http_request:
  - name: beta
    expressions: ["getReqCookie('beta').value == '1' || req.headers['x-beta'][0] == 'on'"]
    actions: [{ type: custom-response, config: { body: "\${req.url.path} of \${conn.client_ip}" } }]
  - name: staff
    actions: [{ type: basic-auth, config: { credentials: ["ben:\${secrets.get('wiki', 'ben')}"] } }]
`;
const TESTS = `policy: policy.yml
secrets: { wiki: { ben: battery staple } }
tests:
  - name: beta
    request: { url: https://wiki.example.com/a, headers: { x-beta: on } }
    expect: { status: 200, body: /a of 203.0.113.7, service: none }
  - name: nobody
    request: https://wiki.example.com/
    expect: { status: 401 }
`;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-policy-try-'));
  await writeFile(at('policy.yml'), POLICY);
  await writeFile(at('good.yml'), TESTS);
  await writeFile(at('bad.yml'), TESTS.replace('status: 401', 'status: 403, headers: { www-authenticate: Digest }'));
  await writeFile(at('request.http'), 'POST /b?c=1 HTTP/1.1\r\nHost: wiki.example.com\r\nCookie: beta=1\r\n\r\nhello');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('explain shows what each expression came to, failures too, and what each action did', async () => {
  const { code, stdout, stderr } = await postern([
    'policy',
    'explain',
    at('policy.yml'),
    'GET',
    'https://wiki.example.com/a',
  ]);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain('on_http_request[0] "beta": passed over');
  expect(stdout).toContain("  fails  getReqCookie('beta').value == '1' || req.headers['x-beta'][0] == 'on'\n");
  expect(stdout).toContain("getReqCookie('beta').value == '1' = false\n");
  expect(stdout).toContain("req.headers['x-beta'] = nothing (no such key)\n");
  expect(stdout).toContain('  does   basic-auth\n');
  expect(stdout).toContain('           answers 401\n');
  expect(stdout).toContain('verdict: 401, and no service is asked\n');
  expect(stdout).toMatch(/^warning: on_http_request\[0\]\.expressions\[0\] failed/m);
});

test('explain takes a request from a file and flags, and prints JSON', async () => {
  const args = ['--request', at('request.http'), '-H', 'x-more: 1', '--client-ip', '192.0.2.9', '--json'];
  const { code, stdout } = await postern(['policy', 'explain', at('policy.yml'), ...args]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    verdict: { status: 200, body: '/b of 192.0.2.9', service: null },
    rules: [
      { name: 'beta', state: 'matched' },
      { name: 'staff', state: 'not reached' },
    ],
  });
});

test('explain gives what is named by --given, and says what is not given', async () => {
  await writeFile(at('given.yml'), 'secrets: { wiki: { ben: battery staple } }\nservice: { status: 204 }\n');
  const request = ['https://wiki.example.com/', '-H', 'authorization: Basic YmVuOmJhdHRlcnkgc3RhcGxl'];
  const without = await postern(['policy', 'explain', at('policy.yml'), ...request]);
  expect(without.stdout).toContain('not known here: no secret "ben" is given in a vault "wiki" (secrets)\n');
  expect(without.stdout).toContain('verdict: 401');
  const withIt = await postern(['policy', 'explain', at('policy.yml'), ...request, '--given', at('given.yml')]);
  expect(withIt.stdout).toContain('verdict: 204\n');
});

test('explain ends with 1 for a wrong policy, and with 2 for what cannot be meant', async () => {
  await writeFile(at('wrong.yml'), 'on_http_request: [{ actions: [{ type: dney }] }]');
  const wrong = await postern(['policy', 'explain', at('wrong.yml'), 'https://a.example.com/']);
  expect([wrong.code, wrong.stdout]).toEqual([1, expect.stringContaining('ERR_NGROK_2201')]);
  for (const words of [[], ['GET', '/only/a/path'], ['a', 'b', 'c'], ['https://a.example.com/', '-H', 'nothing']]) {
    const { code, stderr } = await postern(['policy', 'explain', at('policy.yml'), ...words]);
    expect([words, code, stderr]).toEqual([words, 2, expect.stringMatching(/^postern policy explain: /)]);
  }
});

test('test ends with 0 where all is as expected, and with 1 and the reasons where it is not', async () => {
  const good = await postern(['policy', 'test', at('good.yml')]);
  expect(good).toEqual({
    code: 0,
    stdout: `ok   ${at('good.yml')}: beta\nok   ${at('good.yml')}: nobody\n2 passed, 0 failed\n`,
    stderr: '',
  });
  const bad = await postern(['policy', 'test', at('good.yml'), at('bad.yml')]);
  expect(bad.code).toBe(1);
  expect(bad.stdout).toContain(`FAIL ${at('bad.yml')}: nobody\n       status: expected 403, got 401\n`);
  expect(bad.stdout).toContain('headers.www-authenticate: expected ["Digest"], got ["Basic realm=');
  expect(bad.stdout).toContain('     |   does   basic-auth\n');
  expect(bad.stdout).toMatch(/3 passed, 1 failed\n$/);
  const json = await postern(['policy', 'test', at('bad.yml'), '--json']);
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({
    passed: 1,
    failed: 1,
    files: [{ tests: [{ ok: true }, { ok: false, misses: [{ what: 'status', expected: 403, got: 401 }, {}] }] }],
  });
});

test('test ends with 2 where a file says nothing that can be run', async () => {
  await writeFile(at('typo.yml'), TESTS.replace('expect: { status: 401 }', 'expect: { statsu: 401 }'));
  await writeFile(at('lost.yml'), TESTS.replace('policy: policy.yml', 'policy: none.yml'));
  const { code, stdout } = await postern(['policy', 'test', at('typo.yml'), at('lost.yml'), at('good.yml')]);
  expect(code).toBe(2);
  expect(stdout).toMatch(/typo\.yml: file\.tests\[1\]\.expect\.statsu: .*status/);
  expect(stdout).toMatch(/lost\.yml: ENOENT/);
  expect(stdout).toMatch(/2 passed, 0 failed\n$/);
});

test('test --watch runs again when the policy changes, and ends when it is asked to', async () => {
  await writeFile(at('watched.yml'), TESTS.replace('policy.yml', 'watched-policy.yml'));
  await writeFile(at('watched-policy.yml'), POLICY.replace('of', 'for'));
  const main = path.join(repositoryRoot, 'packages', 'cli', 'src', 'main.ts');
  const child = spawn(process.execPath, [main, 'policy', 'test', '--watch', at('watched.yml')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => void child.once('close', resolve));
  try {
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    await until(() => stdout.includes('1 passed, 1 failed\n'));
    await writeFile(at('watched-policy.yml'), POLICY);
    await until(() => stdout.endsWith('2 passed, 0 failed\n'));
  } finally {
    child.kill('SIGTERM');
  }
  expect(await ended).toBe(0);
});
