/** What the API has acknowledged survives kill -9, full disks and failing ones; what it has refused has not happened. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { agentOf } from '../support/agent.ts';
import { ApiWriters } from '../support/api-writers.ts';
import { Dice, SEED } from '@postern/edge/testing/dice';
import { requireJudge } from '../support/judge.ts';
import { FREE_PORTS, Platform, repositoryRoot, splitAddress } from '../support/platform.ts';
import { sdkProcess } from '../support/sdk.ts';
import { PATIENCE_MS, until } from '../support/until.ts';
import { httpUpstream } from '../support/upstream.ts';
import { Wire } from '../support/wire.ts';

/** `POSTERN_CRASH_ROUNDS=50` for more. */
const ROUNDS = Number(process.env['POSTERN_CRASH_ROUNDS'] ?? 4);
const WRITERS = 8;
const MAIN = path.join(repositoryRoot, 'packages', 'cli', 'src', 'main.ts');
const DENY = '{"on_http_request":[{"actions":[{"type":"deny","config":{"status_code":404}}]}]}';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'postern-durable-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

describe('kill -9', () => {
  test(
    `under a stream of API writes (${ROUNDS} rounds, seed ${SEED})`,
    async () => {
      const dice = new Dice(SEED);
      const writers = new ApiWriters('w');
      const args = ['--api-rate-limit=10000000'];
      let platform = await Platform.start({ dataDir, args });
      try {
        for (let round = 1; round <= ROUNDS; round += 1) {
          const before = writers.acknowledged;
          const running = writers.run(platform, WRITERS, new AbortController().signal);
          // From the first writes on to some way into the stream, and at any moment of a write.
          const enough = before + 1 + dice.below(150);
          await until(() => writers.acknowledged >= enough, PATIENCE_MS, 5);
          await new Promise((resolve) => setTimeout(resolve, dice.below(20)));
          platform = await platform.restart('SIGKILL', { args });
          await running;
          const { rows, problems } = await writers.check(platform);
          expect(problems).toEqual([]);
          process.stdout.write(
            `kill -9 round ${round}/${ROUNDS}: ${writers.acknowledged - before} writes acknowledged, ${rows} rows whole\n`,
          );
        }
        expect(writers.acknowledged).toBeGreaterThan(ROUNDS);
      } finally {
        await platform.stop();
      }
    },
    60_000 + ROUNDS * 60_000,
  );

  test(
    'during the very first start: the next one comes up with working credentials',
    async () => {
      const dice = new Dice(SEED);
      for (let round = 0; round < Math.max(4, ROUNDS); round += 1) {
        const folder = path.join(dataDir, String(round));
        await mkdir(folder);
        const child = spawn(process.execPath, [MAIN, 'server', `--data-dir=${folder}`, ...FREE_PORTS], {
          stdio: 'ignore',
          env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder },
        });
        await new Promise((resolve) => setTimeout(resolve, 200 + dice.below(500)));
        child.kill('SIGKILL');
        await once(child, 'exit');
        const platform = await Platform.start({ dataDir: folder });
        try {
          const created = await platform.api('POST', '/endpoints', {
            url: 'https://a.example.com',
            traffic_policy: DENY,
          });
          expect(created.status, created.text).toBe(201);
          const agent = agentOf(platform);
          await agent.online();
          await agent.close();
        } finally {
          await platform.stop();
        }
      }
    },
    60_000 + ROUNDS * 60_000,
  );
});

describe('a disk that is full', () => {
  const problem = mountProblem();
  if (problem !== '') requireJudge('a full disk', problem);

  test.skipIf(problem !== '')('calls get 503, /readyz says why, traffic goes on, and it recovers', async () => {
    const upstream = await httpUpstream((_request, response) => response.end('from the upstream'));
    // A small disk of its own, which no other process sees and which ends with the server.
    const platform = await Platform.start({
      dataDir,
      args: ['--api-rate-limit=10000000'],
      launcher: ['unshare', '-rm', 'sh', '-c', `mount -t tmpfs -o size=24m,mode=700 tmpfs "$0" && exec "$@"`, dataDir],
      filesOf: (pid) => `/proc/${pid}/root`,
    });
    const wire = await Wire.to(() => ({ host: '127.0.0.1', port: splitAddress(platform.runtime.agent_addr)[1] }));
    const sdk = await sdkProcess(platform, {
      upstream: upstream.url,
      domain: 'agent.example.com',
      address: `localhost:${wire.port}`,
    });
    try {
      const disk = `/proc/${platform.runtime.pid}/root${dataDir}`;
      const writers = new ApiWriters('full');
      await writers.run(platform, 4, AbortSignal.timeout(500));
      await fill(path.join(disk, 'filler'));
      await until(async () => {
        await writers.run(platform, 4, AbortSignal.timeout(300), 4000);
        return writers.refused > 0;
      });

      const refused = await platform.api('POST', '/endpoints', { url: 'https://no.example.com', traffic_policy: DENY });
      expect(refused.status).toBe(503);
      expect(refused.body).toMatchObject({
        error_code: 'ERR_NGROK_90070',
        status_code: 503,
        details: { operation_id: expect.stringMatching(/^op_/) },
      });
      expect(refused.headers.get('retry-after')).toBe('5');
      const ready = await fetch(`${platform.runtime.metrics_url}/readyz`);
      expect(ready.status).toBe(503);
      expect(await ready.text()).toMatch(/database cannot be written: .*full/);

      expect((await writers.check(platform)).problems).toEqual([]);
      expect((await platform.visit(sdk.url)).text).toBe('from the upstream');
      // An agent whose name was reserved before comes back as if nothing were.
      wire.cut();
      await until(() => wire.accepted >= 2);
      await until(async () => (await platform.visit(sdk.url)).text === 'from the upstream');

      await rm(path.join(disk, 'filler'));
      await until(async () => (await fetch(`${platform.runtime.metrics_url}/readyz`)).status === 200);
      const before = writers.acknowledged;
      const enough = new AbortController();
      const running = writers.run(platform, 4, enough.signal);
      await until(() => writers.acknowledged > before);
      enough.abort();
      await running;
      const { rows, problems } = await writers.check(platform);
      expect(problems).toEqual([]);
      process.stdout.write(
        `full disk: ${writers.acknowledged} acknowledged, ${writers.refused} refused, ${rows} rows\n`,
      );
    } finally {
      await sdk.kill('SIGKILL');
      await platform.stop();
      await Promise.all([wire.close(), upstream.close()]);
    }
  });
});

describe('an fsync that fails', () => {
  const compiler = process.env['CC'] ?? 'cc';
  const glibc = process.platform === 'linux' && !existsSync('/etc/alpine-release');
  const problem =
    glibc && spawnSync(compiler, ['--version']).status === 0 ? '' : 'needs Linux with glibc and a C compiler';
  if (problem !== '') requireJudge('a failing fsync', problem);

  test.skipIf(problem !== '')(
    'no success is said for what was not written, not even after a crash',
    async () => {
      const source = path.join(repositoryRoot, 'packages', 'store', 'src', 'testing', 'failing-disk.c');
      const library = path.join(dataDir, 'failing-disk.so');
      const built = spawnSync(compiler, ['-shared', '-fPIC', '-o', library, source, '-ldl'], { encoding: 'utf8' });
      expect(built.status, built.stderr).toBe(0);
      const order = path.join(dataDir, 'fault');
      const options = {
        args: ['--api-rate-limit=10000000'],
        env: { LD_PRELOAD: library, POSTERN_FAULT_FILE: order },
      };
      let platform = await Platform.start({ dataDir, ...options });
      try {
        const writers = new ApiWriters('sync');
        for (let round = 0; round < 3; round += 1) {
          await writers.run(platform, WRITERS, AbortSignal.timeout(300));
          const before = writers.acknowledged;
          await writeFile(order, 'fsync');
          const stop = new AbortController();
          const running = writers.run(platform, WRITERS, stop.signal);
          await until(async () => (await fetch(`${platform.runtime.metrics_url}/readyz`)).status === 503);
          const during = writers.acknowledged;
          const refused = writers.refused;
          await until(() => writers.refused > refused);
          stop.abort();
          await running;
          // One group may have been under way when the order came.
          expect(during - before).toBeLessThanOrEqual(2 * WRITERS);
          expect(writers.acknowledged).toBe(during);
          if (round === 1) {
            // The refused rows lie in the log already; a crash must not bring them back.
            platform = await platform.restart('SIGKILL', { ...options, env: {} });
            await rm(order);
            await platform.stop();
            platform = await Platform.start({ dataDir, ...options });
          } else {
            await rm(order);
            await until(async () => (await fetch(`${platform.runtime.metrics_url}/readyz`)).status === 200);
          }
          expect((await writers.check(platform)).problems).toEqual([]);
        }
      } finally {
        await platform.stop();
      }
    },
    240_000,
  );
});

/** Why no small disk can be made here, or ''. */
function mountProblem(): string {
  if (process.platform !== 'linux') return 'needs Linux';
  const tried = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { encoding: 'utf8' });
  return tried.status === 0 ? '' : `unshare -rm: ${tried.error?.message ?? tried.stderr.trim()}`;
}

/** Takes all the room there is. */
async function fill(file: string): Promise<void> {
  const handle = await open(file, 'w');
  try {
    for (const size of [65_536, 4096, 512]) {
      const block = Buffer.alloc(size);
      while (
        await handle.write(block).then(
          () => true,
          () => false,
        )
      );
    }
  } finally {
    await handle.close();
  }
}
