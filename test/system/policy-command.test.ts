/** `postern policy`, as people and CI systems run it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { postern } from '../support/cli.ts';

let folder: string;
let good: string;
let bad: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-policy-'));
  good = path.join(folder, 'good.json');
  bad = path.join(folder, 'bad.yml');
  const forward = { type: 'forward-internal', config: { url: 'tcp://db.internal:5432' } };
  await writeFile(good, JSON.stringify({ on_tcp_connect: [{ actions: [forward] }] }));
  await writeFile(
    bad,
    `on_http_request:
  - expressions: ["req.metod == 'GET'"]
    actions:
      - type: rate-limit
        config: { name: a, algorithm: sliding_window, capacity: 1, rate: "30", bucket_key: ["conn.client_ip"] }
`,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('says what is wrong, where, and ends with 1', async () => {
  const { code, stdout, stderr } = await postern(['policy', 'check', good, bad]);
  expect([code, stderr]).toEqual([1, '']);
  expect(stdout).toBe(
    `${good}: ok
${bad}:2:19: on_http_request[0].expressions[0]: the expression does not compile: there is no variable req.metod (did you mean req.method?) (at character 4). (ERR_NGROK_2200)
${bad}:5:74: on_http_request[0].actions[0].config.rate: "30" is not a duration; write "30s". (ERR_NGROK_2204)
`,
  );
});

test('ends with 0 where nothing is wrong, and with 2 where nothing can be read', async () => {
  expect(await postern(['policy', 'check', good])).toEqual({ code: 0, stdout: `${good}: ok\n`, stderr: '' });
  const absent = await postern(['policy', 'check', path.join(folder, 'none.yml'), bad]);
  expect([absent.code, absent.stderr]).toEqual([2, expect.stringMatching(/^postern policy check: ENOENT/)]);
  expect((await postern(['policy', 'check'])).code).toBe(2);
  expect((await postern(['policy', 'check', '--protocol', 'ftp', good])).code).toBe(2);
});

test('prints JSON, for the endpoint that is said', async () => {
  const { code, stdout } = await postern(['policy', 'check', '--json', '--protocol', 'https', '--kind', 'cloud', good]);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toEqual({
    files: [
      {
        file: good,
        ok: false,
        problems: [
          {
            line: 1,
            column: expect.any(Number),
            path: 'on_tcp_connect[0].actions[0].config',
            code: 'ERR_NGROK_90032',
            message: expect.stringContaining('on_http_request'),
          },
        ],
      },
    ],
  });
});
