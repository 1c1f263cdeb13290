/** Failed authentications in the log, as the fail2ban filter of docs/operate.md reads them. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentOf } from '../support/agent.ts';
import { metric } from '../support/metrics.ts';
import { Platform, repositoryRoot } from '../support/platform.ts';
import { until } from '../support/until.ts';

const page = readFileSync(path.join(repositoryRoot, 'docs', 'operate.md'), 'utf8');
const failregex = /^failregex = (.*)$/m.exec(page)?.[1] ?? '';

let platform: Platform;
beforeAll(async () => {
  platform = await Platform.start();
});
afterAll(() => platform?.dispose());

const lines = (): readonly string[] => platform.output.split('\n').filter((line) => line.includes('authentication'));

test('each address once a minute, whatever it tries, and nobody else', async () => {
  const addressed = new RegExp(failregex.replace('<ADDR>', '(?<address>[0-9a-f.:]+)'));
  for (let count = 0; count < 3; count += 1) {
    const agent = agentOf(platform, { authtoken: 'nonsense', userAgent: '"from":"192.0.2.1"' });
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as whoever guesses
    await expect(agent.online()).rejects.toThrow('does not have the shape');
    // oxlint-disable-next-line no-await-in-loop
    await agent.close();
  }
  const forged = { authorization: 'Bearer {"from":"192.0.2.1"}', 'user-agent': '"from":"192.0.2.1"' };
  for (let count = 0; count < 3; count += 1) {
    // oxlint-disable-next-line no-await-in-loop
    expect((await platform.api('GET', '/endpoints', undefined, forged)).status).toBe(403);
  }
  expect((await platform.api('GET', '/endpoints')).status).toBe(200);
  const agent = agentOf(platform);
  await agent.online();
  await agent.close();

  await until(() => lines().length === 2 || null);
  expect(lines().map((line) => addressed.exec(line)?.groups?.['address'])).toEqual(['127.0.0.1', '127.0.0.1']);
  expect(lines().map((line) => (JSON.parse(line) as { door: string }).door)).toEqual(['agent', 'api']);
  expect(await metric(platform, 'postern_failed_authentications_total{door="agent"}')).toBe(3);
  expect(await metric(platform, 'postern_failed_authentications_total{door="api"}')).toBe(3);
});

test('fail2ban finds them', async ({ skip }) => {
  skip(spawnSync('fail2ban-regex', ['--version']).error !== undefined, 'fail2ban-regex is not on PATH');
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-fail2ban-'));
  try {
    const log = path.join(folder, 'postern.log');
    await writeFile(log, platform.output);
    const { stdout } = spawnSync('fail2ban-regex', [log, failregex], { encoding: 'utf8' });
    expect(stdout).toContain('Failregex: 2 total');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
