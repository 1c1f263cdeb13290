/** One visitor that does not read must cost neither memory nor the speed of others on the same agent session. */
import { readFile } from 'node:fs/promises';
import https from 'node:https';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Platform, splitAddress } from '../support/platform.ts';
import { type SdkProcess, sdkProcess } from '../support/sdk.ts';
import { spread } from '../support/spread.ts';
import { type Upstream, httpUpstream } from '../support/upstream.ts';

const MiB = 1024 * 1024;
let platform: Platform;
let upstream: Upstream;
let agent: SdkProcess;
/** A session of its own, where nobody stalls. */
let control: SdkProcess;

beforeAll(async () => {
  platform = await Platform.start();
  const block = Buffer.alloc(MiB, 7);
  upstream = await httpUpstream((request, reply) => {
    const size = Number((request.url ?? '/0').slice(1)) * MiB;
    reply.writeHead(200, { 'content-length': size });
    let left = size / MiB;
    const push = (): void => {
      while (left > 0) {
        left -= 1;
        if (!reply.write(block)) return void reply.once('drain', push);
      }
      reply.end();
    };
    push();
    request.on('close', () => (left = 0));
  });
  agent = await sdkProcess(platform, { upstream: upstream.url, domain: 'bulk.example.com' });
  control = await sdkProcess(platform, { upstream: upstream.url, domain: 'control.example.com' });
});
afterAll(async () => {
  await agent?.kill('SIGKILL');
  await control?.kill('SIGKILL');
  await platform?.dispose();
  await upstream?.close();
});

async function residentMiB(): Promise<number> {
  const status = await readFile(`/proc/${platform.runtime.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

type OnResponse = (reply: NodeJS.ReadableStream & { destroy(): void }) => void;

function download(size: number, onResponse: OnResponse, name = 'bulk'): void {
  const [host, port] = splitAddress(platform.runtime.https_addr);
  https
    .get(
      {
        host,
        port,
        path: `/${size}`,
        servername: `${name}.example.com`,
        ca: platform.ca,
        agent: false,
        headers: { host: `${name}.example.com` },
      },
      onResponse,
    )
    .on('error', () => undefined);
}

const timed = (size: number, name?: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const started = performance.now();
    const onResponse: OnResponse = (reply) => {
      reply.on('data', () => undefined);
      reply.on('end', () => resolve(performance.now() - started));
      reply.on('error', reject);
    };
    download(size, onResponse, name);
  });

test.runIf(process.platform === 'linux')(
  'a stalled 1 GB download',
  async () => {
    for (const name of ['bulk', 'control', 'bulk', 'control']) await timed(128, name);
    const idle = await residentMiB();
    let stalled: { destroy(): void } | undefined;
    await new Promise<void>((resolve) => {
      download(1000, (reply) => {
        stalled = reply;
        reply.once('data', () => {
          reply.pause();
          resolve();
        });
      });
    });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const [times, alone]: [number[], number[]] = [[], []];
    // Best against best, turn by turn: machines are noisy, a stall is not. It stays in however many turns more, and what the
    // machine was busy with does not.
    const slower = (): boolean => Math.min(...times) >= Math.min(...alone) * 2;
    for (let turn = 0; turn < 5 || (turn < 15 && slower()); turn += 1) {
      times.push(await timed(128));
      alone.push(await timed(128, 'control'));
    }
    const resident = await residentMiB();
    stalled?.destroy();
    process.stdout.write(
      `stalled reader: others ${spread(times)}; control ${spread(alone)}; memory +${(resident - idle).toFixed(0)} MiB\n`,
    );
    expect(resident - idle).toBeLessThan(64);
    expect(Math.min(...times)).toBeLessThan(Math.min(...alone) * 2);
  },
  300_000,
);
